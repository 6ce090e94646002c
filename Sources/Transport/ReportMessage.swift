import Control
import Wire

extension Report: MessageValue {
  var proto: ProtoReport {
    var proto = ProtoReport()
    switch self {
    case .hello(let hello): proto.hello = hello.proto
    case .acknowledged(let revision, let epoch):
      proto.acknowledged.revision = revision.number
      proto.acknowledged.epoch = epoch.proto
    case .refused(let revision, let highest):
      proto.refused.revision = revision.number
      proto.refused.highestEpoch = highest.proto
    case .health(let changes):
      proto.health = ProtoHealthChanges()
      proto.health.changes = changes.map(\.proto)
    case .portRequest(let request): proto.portRequest = request.proto
    case .portsReturned(let leases):
      proto.portsReturned = ProtoPortLeases()
      proto.portsReturned.leases = leases.map(\.proto)
    case .statistics(let statistics): proto.statistics = statistics.proto
    }
    return proto
  }

  init(_ proto: ProtoReport) throws(MalformedMessage) {
    switch try MessageField.oneOf("report", proto.report) {
    case .hello(let hello): self = .hello(try MessageField.within("hello", hello))
    case .acknowledged(let message):
      self = .acknowledged(
        Revision(message.revision),
        try MessageField.value("acknowledged.epoch", message.hasEpoch, message.epoch))
    case .refused(let message):
      self = .refused(
        Revision(message.revision),
        highest: try MessageField.value(
          "refused.highest_epoch", message.hasHighestEpoch, message.highestEpoch))
    case .health(let message): self = .health(try MessageField.list("health.changes", message.changes))
    case .portRequest(let message):
      self = .portRequest(try MessageField.within("port_request", message))
    case .portsReturned(let message):
      let name = "ports_returned.leases"
      try MessageField.limit(name, message.leases.count, atMost: Control.Limits.rangesPerReport)
      self = .portsReturned(try MessageField.list(name, message.leases))
    case .statistics(let message): self = .statistics(try MessageField.within("statistics", message))
    }
  }
}

extension Hello: MessageValue {
  var proto: ProtoHello {
    var proto = ProtoHello()
    proto.node = node
    proto.roles = roles.map(\.proto)
    proto.epoch = epoch.proto
    proto.revision = revision.number
    return proto
  }

  init(_ proto: ProtoHello) throws(MalformedMessage) {
    self.init(
      node: proto.node, roles: try Role.list("roles", proto.roles),
      epoch: try MessageField.value("epoch", proto.hasEpoch, proto.epoch), revision: Revision(proto.revision))
  }
}

extension EndpointKey: MessageValue {
  var proto: ProtoEndpointKey {
    var proto = ProtoEndpointKey()
    proto.vip = vip.number
    proto.transport = transport.proto
    proto.port = UInt32(port)
    return proto
  }

  init(_ proto: ProtoEndpointKey) throws(MalformedMessage) {
    self.init(
      vip: try MessageField.address("vip", proto.hasVip, proto.vip),
      transport: try TransportProtocol.read("transport", proto.transport),
      port: try MessageField.port("port", proto.port))
  }
}

extension HealthChange: MessageValue {
  var proto: ProtoHealthChange {
    var proto = ProtoHealthChange()
    proto.locator = locator.number
    proto.key = key.proto
    proto.isHealthy = isHealthy
    proto.reason = reason
    return proto
  }

  init(_ proto: ProtoHealthChange) throws(MalformedMessage) {
    self.init(
      locator: try MessageField.address("locator", proto.hasLocator, proto.locator),
      key: try MessageField.value("key", proto.hasKey, proto.key), isHealthy: proto.isHealthy,
      reason: proto.reason)
  }
}

extension BGPSessionStatus: MessageValue {
  var proto: ProtoBGPSessionStatus {
    var proto = ProtoBGPSessionStatus()
    proto.peer = peer.number
    proto.state = state
    proto.secondsInState = UInt64(clamping: secondsInState)
    proto.announced = UInt64(clamping: announced)
    return proto
  }

  init(_ proto: ProtoBGPSessionStatus) throws(MalformedMessage) {
    self.init(
      peer: try MessageField.address("peer", proto.hasPeer, proto.peer), state: proto.state,
      secondsInState: try MessageField.integer("seconds_in_state", proto.secondsInState),
      announced: try MessageField.integer("announced", proto.announced))
  }
}

extension Counter: MessageValue {
  var proto: ProtoCounter {
    var proto = ProtoCounter()
    proto.name = name
    proto.labels = labels
    proto.value = value
    return proto
  }

  init(_ proto: ProtoCounter) throws(MalformedMessage) {
    self.init(name: proto.name, labels: proto.labels, value: proto.value)
  }
}

extension ForwardingPath: MessageValue {
  var proto: ProtoForwardingPath {
    var proto = ProtoForwardingPath()
    proto.role = role.proto
    proto.device = device
    proto.path = path
    proto.reason = reason
    return proto
  }

  init(_ proto: ProtoForwardingPath) throws(MalformedMessage) {
    self.init(
      role: try Role.read("role", proto.role), device: proto.device, path: proto.path,
      reason: proto.reason)
  }
}

extension NodeStatistics: MessageValue {
  var proto: ProtoNodeStatistics {
    var proto = ProtoNodeStatistics()
    proto.bgp = bgp.map(\.proto)
    proto.counters = counters.map(\.proto)
    proto.problems = problems
    proto.paths = paths.map(\.proto)
    proto.ports = ports.map(\.proto)
    return proto
  }

  init(_ proto: ProtoNodeStatistics) throws(MalformedMessage) {
    self.init(
      bgp: try MessageField.list("bgp", proto.bgp),
      counters: try MessageField.list("counters", proto.counters), problems: proto.problems,
      paths: try MessageField.list("paths", proto.paths),
      ports: try MessageField.list("ports", proto.ports))
  }
}
