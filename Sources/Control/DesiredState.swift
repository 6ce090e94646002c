/// What operators have asked for so far, by name.
public struct DesiredState: Hashable, Sendable {
  /// All nodes.
  public private(set) var nodes: [String: Node] = [:]
  /// All virtual networks.
  public private(set) var networks: [String: VirtualNetwork] = [:]
  /// All VMs.
  public private(set) var machines: [String: VirtualMachine] = [:]
  /// All services.
  public private(set) var services: [String: Service] = [:]

  /// The empty data centre.
  public init() {}

  /// The resource of that name, if there is one.
  public subscript(key: ResourceKey) -> Resource? {
    switch key.kind {
    case .node: nodes[key.name].map(Resource.node)
    case .virtualNetwork: networks[key.name].map(Resource.virtualNetwork)
    case .virtualMachine: machines[key.name].map(Resource.virtualMachine)
    case .service: services[key.name].map(Resource.service)
    }
  }

  /// Creates or replaces a resource, unseen: `Validation` judges before.
  public mutating func insert(_ resource: Resource) {
    switch resource {
    case .node(let node): nodes[node.name] = node
    case .virtualNetwork(let network): networks[network.name] = network
    case .virtualMachine(let machine): machines[machine.name] = machine
    case .service(let service): services[service.name] = service
    }
  }

  /// Removes a resource, unseen: `Validation` judges before.
  public mutating func remove(_ key: ResourceKey) {
    switch key.kind {
    case .node: nodes[key.name] = nil
    case .virtualNetwork: networks[key.name] = nil
    case .virtualMachine: machines[key.name] = nil
    case .service: services[key.name] = nil
    }
  }

  /// Carries an operation out, unseen: `Validation` judges before.
  public mutating func carryOut(_ operation: Operation) {
    switch operation {
    case .apply(let resources): for resource in resources { insert(resource.normalized) }
    case .delete(let keys): for key in keys { remove(key) }
    }
  }

  /// Everything, sorted by kind and name.
  public var resources: [Resource] {
    let all =
      nodes.values.map(Resource.node) + networks.values.map(Resource.virtualNetwork)
      + machines.values.map(Resource.virtualMachine) + services.values.map(Resource.service)
    return all.sorted { $0.key < $1.key }
  }
}

extension Resource {
  /// The same with what has no order in order, so that writing it differently is no change.
  var normalized: Resource {
    guard case .node(var node) = self else { return self }
    node.roles.sort { $0.rawValue < $1.rawValue }
    return .node(node)
  }
}
