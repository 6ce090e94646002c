/// What replicas say to each other.
///
/// `prepare`, `promise`, `accept` and `accepted` are the messages 1a, 1b, 2a and 2b of Paxos; the others make
/// a log, a lease and catching up of it.
public enum Message: Codable, Hashable, Sendable {
  /// Asks who would promise a ballot, before anything is changed: a replica that was cut off must not depose
  /// a leader by the high ballot it comes back with. `committed` is how far the sender has come.
  case canvass(Ballot, committed: Slot)
  /// Answers `canvass`: as far as the sender is concerned, the ballot may begin.
  case supported(Ballot)
  /// 1a, for all slots from one on.
  case prepare(Ballot, from: Slot)
  /// 1b.
  case promise(Promise)
  /// 2a, for several slots.
  case accept(Accept)
  /// 2b, for the same slots, with a grant.
  case accepted(Ballot, first: Slot, count: Int, Grant)
  /// Asks for a grant, and says how far the log is chosen.
  case heartbeat(Ballot, committed: Slot, sent: Milliseconds)
  /// Answers `heartbeat`.
  case granted(Ballot, Grant)
  /// Answers a message of an old ballot with the one that was promised.
  case nack(Ballot, promised: Ballot)
  /// The leader of the ballot uses its lease no longer; the successor, if named, may stand at once.
  case resign(Ballot, successor: ReplicaID?)
  /// Asks for chosen entries; from slot 0 for a snapshot; with a fragment for the rest of one.
  case catchUp(from: Slot, Fragment?)
  /// Chosen entries, and how far the sender knows the log to be chosen.
  case chosen([Record], committed: Slot)
  /// A part of a snapshot.
  case chunk(SnapshotChunk)
}

/// The message 1b: the sender will vote in no lower ballot, and these are its votes so far.
public struct Promise: Codable, Hashable, Sendable {
  /// The ballot promised.
  public var ballot: Ballot
  /// The slot from which on the votes were asked for.
  public var from: Slot
  /// The votes, in the order of slots.
  public var votes: [Record]
  /// The slot from which to ask for the rest, if not all fitted.
  public var rest: Slot?

  /// Describes the message.
  public init(ballot: Ballot, from: Slot, votes: [Record], rest: Slot?) {
    self.ballot = ballot
    self.from = from
    self.votes = votes
    self.rest = rest
  }
}

/// The message 2a.
public struct Accept: Codable, Hashable, Sendable {
  /// The leader's ballot.
  public var ballot: Ballot
  /// The slot of the first entry.
  public var first: Slot
  /// Entries of slots in a row.
  public var entries: [Entry]
  /// All slots up to here are chosen.
  public var committed: Slot
  /// The leader's clock.
  public var sent: Milliseconds

  /// Describes the message.
  public init(ballot: Ballot, first: Slot, entries: [Entry], committed: Slot, sent: Milliseconds) {
    self.ballot = ballot
    self.first = first
    self.entries = entries
    self.committed = committed
    self.sent = sent
  }
}

/// An acceptor's word that it promises to nobody but the ballot's leader for a while ("Paxos Made Live"
/// §5.2).
public struct Grant: Codable, Hashable, Sendable {
  /// The leader's clock when it asked.
  public var asked: Milliseconds
  /// For how long, on the acceptor's clock.
  public var duration: Milliseconds

  /// Joins the two.
  public init(asked: Milliseconds, duration: Milliseconds) {
    self.asked = asked
    self.duration = duration
  }
}

/// How much of a snapshot has arrived.
public struct Fragment: Codable, Hashable, Sendable {
  /// The snapshot's slot.
  public var slot: Slot
  /// The snapshot's digest.
  public var digest: UInt64
  /// Octets that have arrived.
  public var offset: Int

  /// Describes how much has arrived.
  public init(slot: Slot, digest: UInt64, offset: Int) {
    self.slot = slot
    self.digest = digest
    self.offset = offset
  }
}

/// A part of a snapshot.
public struct SnapshotChunk: Codable, Hashable, Sendable {
  /// The snapshot's slot.
  public var slot: Slot
  /// Its memberships.
  public var memberships: [Membership]
  /// Its digest.
  public var digest: UInt64
  /// Octets of the whole.
  public var total: Int
  /// Where the part begins.
  public var offset: Int
  /// The part.
  public var octets: [UInt8]

  /// Describes a part.
  public init(
    slot: Slot, memberships: [Membership], digest: UInt64, total: Int, offset: Int, octets: [UInt8]
  ) {
    self.slot = slot
    self.memberships = memberships
    self.digest = digest
    self.total = total
    self.offset = offset
    self.octets = octets
  }
}
