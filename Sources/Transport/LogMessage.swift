import Foundation
import Paxos

// The parts of what replicas say; sizes are looked at before anything is built.

extension Ballot: MessageValue {
  var proto: ProtoPaxosBallot {
    var proto = ProtoPaxosBallot()
    proto.round = round
    proto.replica = replica.number
    return proto
  }

  init(_ proto: ProtoPaxosBallot) { self.init(round: proto.round, replica: ReplicaID(proto.replica)) }
}

extension Entry: MessageValue {
  var proto: ProtoPaxosEntry {
    var proto = ProtoPaxosEntry()
    switch self {
    case .noOp: proto.noOp = ProtoPaxosEntry.NoOp()
    case .command(let octets): proto.command = Data(octets)
    case .membership(.add(let replica)): proto.add = replica.number
    case .membership(.remove(let replica)): proto.remove = replica.number
    }
    return proto
  }

  init(_ proto: ProtoPaxosEntry) throws(MalformedMessage) {
    switch try MessageField.oneOf("entry", proto.entry) {
    case .noOp: self = .noOp
    case .command(let octets):
      try MessageField.limit("command", octets.count, atMost: Paxos.Limits.commandBytes)
      self = .command([UInt8](octets))
    case .add(let replica): self = .membership(.add(ReplicaID(replica)))
    case .remove(let replica): self = .membership(.remove(ReplicaID(replica)))
    }
  }
}

extension Record: MessageValue {
  var proto: ProtoPaxosRecord {
    var proto = ProtoPaxosRecord()
    proto.slot = slot.number
    proto.ballot = ballot.proto
    proto.entry = entry.proto
    return proto
  }

  init(_ proto: ProtoPaxosRecord) throws(MalformedMessage) {
    self.init(
      slot: Slot(proto.slot), ballot: try proto.readBallot(),
      entry: try MessageField.value("entry", proto.hasEntry, proto.entry))
  }
}

extension Grant: MessageValue {
  var proto: ProtoPaxosGrant {
    var proto = ProtoPaxosGrant()
    proto.asked = asked
    proto.duration = duration
    return proto
  }

  init(_ proto: ProtoPaxosGrant) { self.init(asked: proto.asked, duration: proto.duration) }
}

extension Promise: MessageValue {
  var proto: ProtoPaxosPromise {
    var proto = ProtoPaxosPromise()
    proto.ballot = ballot.proto
    proto.from = from.number
    proto.votes = votes.map(\.proto)
    if let rest { proto.rest = rest.number }
    return proto
  }

  init(_ proto: ProtoPaxosPromise) throws(MalformedMessage) {
    try MessageField.limit("votes", proto.votes.count, atMost: Paxos.Limits.messageEntries)
    self.init(
      ballot: try proto.readBallot(), from: Slot(proto.from),
      votes: try MessageField.list("votes", proto.votes), rest: proto.hasRest ? Slot(proto.rest) : nil)
  }
}

extension Accept: MessageValue {
  var proto: ProtoPaxosAccept {
    var proto = ProtoPaxosAccept()
    proto.ballot = ballot.proto
    proto.first = first.number
    proto.entries = entries.map(\.proto)
    proto.committed = committed.number
    proto.sent = sent
    return proto
  }

  init(_ proto: ProtoPaxosAccept) throws(MalformedMessage) {
    try MessageField.limit("entries", proto.entries.count, atMost: Paxos.Limits.messageEntries)
    self.init(
      ballot: try proto.readBallot(), first: Slot(proto.first),
      entries: try MessageField.list("entries", proto.entries), committed: Slot(proto.committed),
      sent: proto.sent)
  }
}

extension Fragment: MessageValue {
  var proto: ProtoPaxosFragment {
    var proto = ProtoPaxosFragment()
    proto.slot = slot.number
    proto.digest = digest
    proto.offset = UInt64(clamping: offset)
    return proto
  }

  init(_ proto: ProtoPaxosFragment) throws(MalformedMessage) {
    self.init(
      slot: Slot(proto.slot), digest: proto.digest,
      offset: try MessageField.count("offset", proto.offset, atMost: UInt64(Paxos.Limits.snapshotBytes)))
  }
}

extension Membership: MessageValue {
  var proto: ProtoPaxosMembership {
    var proto = ProtoPaxosMembership()
    proto.voters = voters.map(\.number)
    proto.since = since.number
    proto.decided = decided.number
    return proto
  }

  init(_ proto: ProtoPaxosMembership) throws(MalformedMessage) {
    try MessageField.limit("voters", proto.voters.count, atMost: Paxos.Limits.voters)
    let voters = proto.voters.map { ReplicaID($0) }
    guard let membership = Membership(voters: voters, since: Slot(proto.since), decided: Slot(proto.decided))
    else { throw MalformedMessage(field: "voters", reason: "are none, or not in order, or decided too late") }
    self = membership
  }
}

extension SnapshotChunk: MessageValue {
  /// The membership in force, and one that is decided.
  private static let greatestMemberships = 2

  var proto: ProtoPaxosChunk {
    var proto = ProtoPaxosChunk()
    proto.slot = slot.number
    proto.memberships = memberships.map(\.proto)
    proto.digest = digest
    proto.total = UInt64(clamping: total)
    proto.offset = UInt64(clamping: offset)
    proto.octets = Data(octets)
    return proto
  }

  init(_ proto: ProtoPaxosChunk) throws(MalformedMessage) {
    try MessageField.limit("octets", proto.octets.count, atMost: Paxos.Limits.chunkBytes)
    try MessageField.limit("memberships", proto.memberships.count, atMost: Self.greatestMemberships)
    let greatest = UInt64(Paxos.Limits.snapshotBytes)
    self.init(
      slot: Slot(proto.slot), memberships: try MessageField.list("memberships", proto.memberships),
      digest: proto.digest, total: try MessageField.count("total", proto.total, atMost: greatest),
      offset: try MessageField.count("offset", proto.offset, atMost: greatest),
      octets: [UInt8](proto.octets))
  }
}
