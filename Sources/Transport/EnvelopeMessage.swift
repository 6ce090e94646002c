import Paxos
import SwiftProtobuf

extension Envelope: MessageValue {
  var proto: ProtoPaxosEnvelope {
    var proto = ProtoPaxosEnvelope()
    proto.version = UInt32(version)
    proto.cluster = cluster.number
    proto.from = from.number
    proto.to = to.number
    proto.message = message.proto
    return proto
  }

  /// Of another version nothing but the number is read.
  init(_ proto: ProtoPaxosEnvelope) throws(MalformedMessage) {
    guard proto.version == UInt32(Paxos.Limits.version) else {
      throw MalformedMessage(
        field: "version", reason: "is \(proto.version), and this release speaks \(Paxos.Limits.version)")
    }
    self.init(
      cluster: ClusterID(proto.cluster), from: ReplicaID(proto.from), to: ReplicaID(proto.to),
      message: try Paxos.Message(try MessageField.oneOf("message", proto.message)))
  }
}

extension Paxos.Message {
  fileprivate var proto: ProtoPaxosEnvelope.OneOf_Message {
    switch self {
    case .canvass(let ballot, let slot):
      .canvass(.with { ($0.ballot, $0.committed) = (ballot.proto, slot.number) })
    case .supported(let ballot): .supported(ballot.proto)
    case .prepare(let ballot, let slot):
      .prepare(.with { ($0.ballot, $0.from) = (ballot.proto, slot.number) })
    case .promise(let promise): .promise(promise.proto)
    case .accept(let accept): .accept(accept.proto)
    case .accepted(let ballot, let first, let count, let grant):
      .accepted(
        .with {
          ($0.ballot, $0.first) = (ballot.proto, first.number)
          ($0.count, $0.grant) = (UInt64(clamping: count), grant.proto)
        })
    case .heartbeat(let ballot, let slot, let sent):
      .heartbeat(.with { ($0.ballot, $0.committed, $0.sent) = (ballot.proto, slot.number, sent) })
    case .granted(let ballot, let grant):
      .granted(.with { ($0.ballot, $0.grant) = (ballot.proto, grant.proto) })
    case .nack(let ballot, let promised):
      .nack(.with { ($0.ballot, $0.promised) = (ballot.proto, promised.proto) })
    case .resign(let ballot, let successor):
      .resign(
        .with {
          $0.ballot = ballot.proto
          if let successor { $0.successor = successor.number }
        })
    case .catchUp(let slot, let fragment):
      .catchUp(
        .with {
          $0.from = slot.number
          if let fragment { $0.fragment = fragment.proto }
        })
    case .chosen(let records, let slot):
      .chosen(.with { ($0.records, $0.committed) = (records.map(\.proto), slot.number) })
    case .chunk(let chunk): .chunk(chunk.proto)
    }
  }

  fileprivate init(_ proto: ProtoPaxosEnvelope.OneOf_Message) throws(MalformedMessage) {
    switch proto {
    case .canvass(let body):
      self = .canvass(try body.readBallot("canvass"), committed: Slot(body.committed))
    case .supported(let ballot): self = .supported(Ballot(ballot))
    case .prepare(let body): self = .prepare(try body.readBallot("prepare"), from: Slot(body.from))
    case .promise(let body): self = .promise(try MessageField.within("promise", body))
    case .accept(let body): self = .accept(try MessageField.within("accept", body))
    case .accepted(let body):
      self = .accepted(
        try body.readBallot("accepted"), first: Slot(body.first),
        count: try MessageField.count(
          "accepted.count", body.count, atMost: UInt64(Paxos.Limits.messageEntries)),
        try MessageField.value("accepted.grant", body.hasGrant, body.grant))
    case .heartbeat(let body):
      self = .heartbeat(
        try body.readBallot("heartbeat"), committed: Slot(body.committed), sent: body.sent)
    case .granted(let body):
      self = .granted(
        try body.readBallot("granted"), try MessageField.value("granted.grant", body.hasGrant, body.grant))
    case .nack(let body):
      self = .nack(
        try body.readBallot("nack"),
        promised: try MessageField.value("nack.promised", body.hasPromised, body.promised))
    case .resign(let body):
      let successor = body.hasSuccessor ? ReplicaID(body.successor) : nil
      self = .resign(try body.readBallot("resign"), successor: successor)
    case .catchUp(let body):
      self = .catchUp(
        from: Slot(body.from),
        try MessageField.optional("catch_up.fragment", body.hasFragment, body.fragment))
    case .chosen(let body):
      try MessageField.limit("chosen.records", body.records.count, atMost: Paxos.Limits.messageEntries)
      self = .chosen(
        try MessageField.list("chosen.records", body.records), committed: Slot(body.committed))
    case .chunk(let body): self = .chunk(try MessageField.within("chunk", body))
    }
  }
}

/// A message of replicas that names a ballot.
protocol BallotMessage {
  var hasBallot: Bool { get }
  var ballot: ProtoPaxosBallot { get }
}

extension BallotMessage {
  func readBallot(_ message: String? = nil) throws(MalformedMessage) -> Ballot {
    try MessageField.value(message.map { "\($0).ballot" } ?? "ballot", hasBallot, ballot)
  }
}

extension ProtoPaxosCanvass: BallotMessage {}
extension ProtoPaxosPrepare: BallotMessage {}
extension ProtoPaxosPromise: BallotMessage {}
extension ProtoPaxosAccept: BallotMessage {}
extension ProtoPaxosAccepted: BallotMessage {}
extension ProtoPaxosHeartbeat: BallotMessage {}
extension ProtoPaxosGranted: BallotMessage {}
extension ProtoPaxosNack: BallotMessage {}
extension ProtoPaxosResign: BallotMessage {}
extension ProtoPaxosRecord: BallotMessage {}
