import Wire

/// A desired state as an operation would leave it, indexed by what must not be shared.
struct Neighborhood {
  /// The state with the operation carried out.
  let state: DesiredState
  /// Where in the request each touched resource stands.
  let order: [ResourceKey: Int]
  /// Who has a VIP, who has an underlay address: names in the order of the request, untouched ones first.
  private(set) var servicesByVIP: [IPv4Address: [String]] = [:]
  private(set) var nodesByAddress: [IPv4Address: [String]] = [:]
  private(set) var machinesByHost: [String: [String]] = [:]
  /// How many VMs of the same host come before.
  private(set) var rankOnHost: [String: Int] = [:]
  private(set) var machinesByDIP: [Place: [String]] = [:]
  private(set) var machinesByAttachment: [Device: [String]] = [:]
  private(set) var servicesByMachine: [String: [String]] = [:]
  private(set) var servicesBySource: [String: [String]] = [:]
  /// Hosts with a locator prefix, sorted by the prefix's address, then length.
  private(set) var locators: [(prefix: IPv4Prefix, node: String)] = []

  /// A DIP within its network.
  struct Place: Hashable {
    var network: String
    var dip: IPv4Address
  }

  /// A device on a host, whatever its kind.
  struct Device: Hashable {
    var host: String
    var namespace: String
    var device: String

    init(_ machine: VirtualMachine) {
      host = machine.host
      switch machine.attachment {
      case .networkNamespace(let name, let device, _):
        namespace = name
        self.device = device
      }
    }
  }

  /// Indexes a state.
  init(_ state: DesiredState, order: [ResourceKey: Int]) {
    self.state = state
    self.order = order
    indexNodes()
    indexMachines()
    indexServices()
  }

  /// Whether the operation does not touch it.
  func isUntouched(_ kind: Kind, _ name: String) -> Bool { order[ResourceKey(kind, name)] == nil }

  /// The first of several that share something: the one not to blame.
  func holder(_ names: [String]?, besides name: String) -> String? {
    guard let first = names?.first, first != name else { return nil }
    return first
  }

  /// Locator prefixes that have an address in common with this one, in order of addresses.
  func locators(overlapping prefix: IPv4Prefix) -> [(prefix: IPv4Prefix, node: String)] {
    // Sorted prefixes nest or follow one another, so a linear pass is exact; there are at most as many as
    // nodes.
    locators.filter { $0.prefix.overlaps(prefix) }
  }

  /// The networks to which a service's VMs belong, sorted.
  func networks(of service: Service) -> [String] {
    var names: Set<String> = []
    for machine in service.machines {
      if let network = state.machines[machine]?.network { names.insert(network) }
    }
    return names.sorted()
  }

  private mutating func indexNodes() {
    for node in ordered(state.nodes, .node) {
      nodesByAddress[node.address, default: []].append(node.name)
      if let prefix = node.locators { locators.append((prefix, node.name)) }
    }
    locators.sort {
      ($0.prefix.address, $0.prefix.length, $0.node) < ($1.prefix.address, $1.prefix.length, $1.node)
    }
  }

  private mutating func indexMachines() {
    for machine in ordered(state.machines, .virtualMachine) {
      rankOnHost[machine.name] = machinesByHost[machine.host]?.count ?? 0
      machinesByHost[machine.host, default: []].append(machine.name)
      machinesByDIP[Place(network: machine.network, dip: machine.dip), default: []].append(machine.name)
      machinesByAttachment[Device(machine), default: []].append(machine.name)
    }
  }

  private mutating func indexServices() {
    for service in ordered(state.services, .service) {
      for vip in Set([service.vip] + service.snatVIPs).sorted() {
        servicesByVIP[vip, default: []].append(service.name)
      }
      for machine in Set(service.machines).sorted() {
        servicesByMachine[machine, default: []].append(service.name)
      }
      for machine in Set(service.snat).sorted() {
        servicesBySource[machine, default: []].append(service.name)
      }
    }
  }

  /// Untouched ones by name, then touched ones as requested, so that the later of two is the one to blame.
  private func ordered<Value>(_ values: [String: Value], _ kind: Kind) -> [Value] {
    values.map { (order[ResourceKey(kind, $0.key)] ?? -1, $0.key, $0.value) }
      .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
      .map(\.2)
  }
}

extension Service {
  /// All VMs it names, in the order of the manifest.
  var machines: [String] { endpoints.flatMap { $0.backends.map(\.machine) } + snat }
}
