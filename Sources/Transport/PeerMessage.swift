import Control
import Paxos
import Replication

/// What goes from the manager that dialled to the one that listens.
enum PeerMessage: Hashable, Sendable {
  case hello(PeerHello)
  case envelope(Envelope)
  case status(PeerStatus)
}

extension PeerMessage: MessageValue {
  var proto: ProtoReplicaMessage {
    var proto = ProtoReplicaMessage()
    switch self {
    case .hello(let hello): proto.hello = hello.proto
    case .envelope(let envelope): proto.envelope = envelope.proto
    case .status(let status): proto.status = status.proto
    }
    return proto
  }

  init(_ proto: ProtoReplicaMessage) throws(MalformedMessage) {
    switch try MessageField.oneOf("message", proto.message) {
    case .hello(let message): self = .hello(try MessageField.within("hello", message))
    case .envelope(let message): self = .envelope(try MessageField.within("envelope", message))
    case .status(let message): self = .status(try MessageField.within("status", message))
    }
  }
}

extension PeerHello: MessageValue {
  var proto: ProtoReplicaHello {
    var proto = ProtoReplicaHello()
    proto.version = UInt32(version)
    if let cluster { proto.cluster = cluster.number }
    proto.replica = replica.number
    proto.node = node
    proto.address = address.proto
    proto.founders = founders.map(\.number)
    proto.managersDigest = managersDigest
    return proto
  }

  init(_ proto: ProtoReplicaHello) throws(MalformedMessage) {
    guard let version = UInt16(exactly: proto.version) else {
      throw MalformedMessage(field: "version", reason: "\(proto.version) is no version")
    }
    try MessageField.limit("node", proto.node.utf8.count, atMost: Control.Limits.nameLength)
    try MessageField.limit("founders", proto.founders.count, atMost: Paxos.Limits.voters)
    self.init(
      version: version, cluster: proto.hasCluster ? ClusterID(proto.cluster) : nil,
      replica: ReplicaID(proto.replica), node: proto.node,
      address: try MessageField.value("address", proto.hasAddress, proto.address),
      founders: proto.founders.map { ReplicaID($0) }, managersDigest: proto.managersDigest)
  }
}

extension PeerStatus: MessageValue {
  var proto: ProtoReplicaStatus {
    var proto = ProtoReplicaStatus()
    proto.replica = replica.number
    proto.role = role.proto
    proto.isVoter = isVoter
    proto.ballot = ballot.proto
    proto.committed = committed.number
    proto.snapshot = snapshot.number
    proto.seconds = seconds
    return proto
  }

  init(_ proto: ProtoReplicaStatus) throws(MalformedMessage) {
    self.init(
      replica: ReplicaID(proto.replica), role: try ManagerStatus.Role.read("role", proto.role),
      isVoter: proto.isVoter, ballot: try MessageField.value("ballot", proto.hasBallot, proto.ballot),
      committed: Slot(proto.committed), snapshot: Slot(proto.snapshot), seconds: proto.seconds)
  }
}
