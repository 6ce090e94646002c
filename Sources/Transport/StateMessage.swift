import Control
import Wire

extension ClusterState: MessageValue {
  var proto: ProtoClusterState {
    var proto = ProtoClusterState()
    proto.revision = revision.number
    proto.epoch = epoch.proto
    proto.nodes = nodes.map(\.proto)
    proto.networks = networks.map(\.proto)
    proto.machines = machines.map(\.proto)
    proto.services = services.map(\.proto)
    proto.ports = ports.map(\.proto)
    return proto
  }

  init(_ proto: ProtoClusterState) throws(MalformedMessage) {
    self.init(
      revision: Revision(proto.revision), epoch: try MessageField.value("epoch", proto.hasEpoch, proto.epoch),
      nodes: try MessageField.list("nodes", proto.nodes),
      networks: try MessageField.list("networks", proto.networks),
      machines: try MessageField.list("machines", proto.machines),
      services: try MessageField.list("services", proto.services),
      ports: try MessageField.list("ports", proto.ports))
  }
}

extension NodeStatus: MessageValue {
  var proto: ProtoNodeStatus {
    var proto = ProtoNodeStatus()
    proto.node = node.proto
    proto.isConnected = isConnected
    proto.revision = revision.number
    if let statistics { proto.statistics = statistics.proto }
    return proto
  }

  init(_ proto: ProtoNodeStatus) throws(MalformedMessage) {
    self.init(
      node: try MessageField.value("node", proto.hasNode, proto.node), isConnected: proto.isConnected,
      revision: Revision(proto.revision),
      statistics: try MessageField.optional("statistics", proto.hasStatistics, proto.statistics))
  }
}

extension MachineStatus: MessageValue {
  var proto: ProtoMachineStatus {
    var proto = ProtoMachineStatus()
    proto.machine = machine.proto
    proto.locator = locator.number
    return proto
  }

  init(_ proto: ProtoMachineStatus) throws(MalformedMessage) {
    self.init(
      machine: try MessageField.value("machine", proto.hasMachine, proto.machine),
      locator: try MessageField.address("locator", proto.hasLocator, proto.locator))
  }
}

extension Health: EnumerationValue {
  static var allCases: [Health] { [.unknown, .healthy, .unhealthy, .unprobed] }

  var proto: ProtoHealth {
    switch self {
    case .unknown: .unknown
    case .healthy: .healthy
    case .unhealthy: .unhealthy
    case .unprobed: .unprobed
    }
  }
}

extension BackendStatus: MessageValue {
  var proto: ProtoBackendStatus {
    var proto = ProtoBackendStatus()
    proto.backend = backend.proto
    proto.locator = locator.number
    proto.health = health.proto
    proto.reason = reason
    return proto
  }

  init(_ proto: ProtoBackendStatus) throws(MalformedMessage) {
    self.init(
      backend: try MessageField.value("backend", proto.hasBackend, proto.backend),
      locator: try MessageField.address("locator", proto.hasLocator, proto.locator),
      health: try Health.read("health", proto.health), reason: proto.reason)
  }
}

extension ServiceStatus: MessageValue {
  var proto: ProtoServiceStatus {
    var proto = ProtoServiceStatus()
    proto.service = service.proto
    proto.endpoints = backends.map { backends in
      var endpoint = ProtoEndpointBackends()
      endpoint.backends = backends.map(\.proto)
      return endpoint
    }
    proto.isAnnounced = isAnnounced
    return proto
  }

  init(_ proto: ProtoServiceStatus) throws(MalformedMessage) {
    let service: Service = try MessageField.value("service", proto.hasService, proto.service)
    guard proto.endpoints.count == service.endpoints.count else {
      throw MalformedMessage(
        field: "endpoints",
        reason: "are \(proto.endpoints.count), but the service has \(service.endpoints.count)")
    }
    var backends: [[BackendStatus]] = []
    for (index, endpoint) in proto.endpoints.enumerated() {
      backends.append(try MessageField.list("endpoints[\(index)].backends", endpoint.backends))
    }
    self.init(service: service, backends: backends, isAnnounced: proto.isAnnounced)
  }
}
