import Control

extension ManagerAddress: MessageValue {
  var proto: ProtoManagerAddress {
    var proto = ProtoManagerAddress()
    proto.host = host
    proto.port = UInt32(port)
    return proto
  }

  init(_ proto: ProtoManagerAddress) throws(MalformedMessage) {
    self.init(host: proto.host, port: try MessageField.port("port", proto.port))
  }
}

extension ManagerStatus.Role: EnumerationValue {
  var proto: ProtoManagerRole {
    switch self {
    case .forming: .forming
    case .learner: .learner
    case .follower: .follower
    case .candidate: .candidate
    case .leader: .leader
    case .unreachable: .unreachable
    case .halted: .halted
    }
  }
}

extension ManagerStatus: MessageValue {
  var proto: ProtoManagerStatus {
    var proto = ProtoManagerStatus()
    proto.node = node
    proto.address = address.proto
    proto.replica = replica
    proto.role = role.proto
    proto.isVoter = isVoter
    proto.ballot = ballot.proto
    proto.committed = committed
    proto.snapshot = snapshot
    proto.seconds = seconds
    proto.silentMilliseconds = silentMilliseconds
    return proto
  }

  init(_ proto: ProtoManagerStatus) throws(MalformedMessage) {
    self.init(
      node: proto.node, address: try MessageField.value("address", proto.hasAddress, proto.address),
      replica: proto.replica, role: try Role.read("role", proto.role), isVoter: proto.isVoter,
      ballot: try MessageField.value("ballot", proto.hasBallot, proto.ballot), committed: proto.committed,
      snapshot: proto.snapshot, seconds: proto.seconds, silentMilliseconds: proto.silentMilliseconds)
  }
}

extension ManagerGroup: MessageValue {
  var proto: ProtoManagerGroup {
    var proto = ProtoManagerGroup()
    proto.answering = answering
    proto.cluster = cluster
    proto.managers = managers.map(\.proto)
    proto.obstacle = obstacle
    proto.counters = counters.map(\.proto)
    return proto
  }

  init(_ proto: ProtoManagerGroup) throws(MalformedMessage) {
    self.init(
      answering: proto.answering, cluster: proto.cluster,
      managers: try MessageField.list("managers", proto.managers), obstacle: proto.obstacle,
      counters: try MessageField.list("counters", proto.counters))
  }
}

extension ManagerChange: MessageValue {
  var proto: ProtoManagerChange {
    var proto = ProtoManagerChange()
    switch self {
    case .add(let node): proto.add = node
    case .remove(let node): proto.remove = node
    case .transfer(let node): proto.transferTo = node
    }
    return proto
  }

  init(_ proto: ProtoManagerChange) throws(MalformedMessage) {
    switch try MessageField.oneOf("change", proto.change) {
    case .add(let node): self = .add(node)
    case .remove(let node): self = .remove(node)
    case .transferTo(let node): self = .transfer(to: node)
    }
  }
}
