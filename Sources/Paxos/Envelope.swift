/// A message on its way.
public struct Envelope: Codable, Hashable, Sendable {
  /// Why a message was not looked at.
  public enum Rejection: Error, Hashable, Sendable {
    /// The sender speaks another version of the protocol; bring both to the same release.
    case version(UInt16)
    /// The sender belongs to another cluster; correct the addresses or the certificates.
    case cluster(ClusterID)
    /// The message is for another replica; the address leads to a disk that has been replaced.
    case receiver(ReplicaID)
    /// More entries, octets or greater numbers than `Limits` allow.
    case outOfBounds
  }

  /// Of the protocol.
  public var version: UInt16
  /// Whose message it is.
  public var cluster: ClusterID
  /// Who says it.
  public var from: ReplicaID
  /// To whom.
  public var to: ReplicaID
  /// What.
  public var message: Message

  /// Addresses a message.
  public init(cluster: ClusterID, from: ReplicaID, to: ReplicaID, message: Message) {
    version = Limits.version
    self.cluster = cluster
    self.from = from
    self.to = to
    self.message = message
  }

  func check(cluster own: ClusterID, replica: ReplicaID) throws(Rejection) {
    guard version == Limits.version else { throw .version(version) }
    guard cluster == own else { throw .cluster(cluster) }
    guard to == replica, from != replica else { throw .receiver(to) }
    guard message.isWithinBounds else { throw .outOfBounds }
  }
}

extension Message {
  /// Whether numbers and sizes are such as a replica sends.
  var isWithinBounds: Bool {
    switch self {
    case .canvass(let ballot, let slot), .prepare(let ballot, let slot), .heartbeat(let ballot, let slot, _):
      ballot.isBelievable && slot.isBelievable
    case .supported(let ballot), .granted(let ballot, _), .resign(let ballot, _): ballot.isBelievable
    case .nack(let ballot, let promised): ballot.isBelievable && promised.isBelievable
    case .promise(let promise):
      promise.ballot.isBelievable && Self.fit(promise.votes) && promise.from.isBelievable
        && (promise.rest?.isBelievable ?? true)
        && promise.votes.allSatisfy {
          (0..<Limits.acceptorWindow).contains(promise.from.distance(to: $0.slot))
        }
    case .accept(let accept):
      accept.ballot.isBelievable && accept.first.isBelievable && accept.committed.isBelievable
        && accept.first > .none && Self.fit(accept.entries)
    case .accepted(let ballot, let first, let count, _):
      ballot.isBelievable && first.isBelievable && (0...Limits.messageEntries).contains(count)
    case .catchUp(let slot, let fragment):
      slot.isBelievable && (fragment.map { $0.slot.isBelievable && $0.offset >= 0 } ?? true)
    case .chosen(let records, let committed): committed.isBelievable && Self.fit(records)
    case .chunk(let chunk):
      chunk.slot.isBelievable && chunk.octets.count <= Limits.chunkBytes && chunk.offset >= 0
        && (0...Limits.snapshotBytes).contains(chunk.total)
        && (1...2).contains(chunk.memberships.count) && chunk.memberships.allSatisfy(\.isBelievable)
    }
  }

  private static func fit(_ records: [Record]) -> Bool {
    records.allSatisfy { $0.slot.isBelievable && $0.ballot.isBelievable } && fit(records.map(\.entry))
  }

  private static func fit(_ entries: [Entry]) -> Bool {
    entries.count <= Limits.messageEntries
      && entries.allSatisfy { $0.size <= Limits.commandBytes + 16 }
      && entries.dropFirst().reduce(0) { $0 + $1.size } <= Limits.messageBytes
  }
}

extension Ballot {
  fileprivate var isBelievable: Bool { round <= Limits.greatestNumber }
}

extension Membership {
  fileprivate var isBelievable: Bool {
    (1...Limits.voters).contains(voters.count) && since.isBelievable && decided.isBelievable
  }
}

extension Slot {
  fileprivate var isBelievable: Bool { number <= Limits.greatestNumber }
}
