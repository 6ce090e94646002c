public import Control

/// What a log tells its manager, in order.
public enum LogEvent: Hashable, Sendable {
  /// A state in place of all that was told before: what was found on disk, or what another replica sent.
  case installed(ManagerState)
  /// Entries that are durable, without gaps.
  case committed([CommittedEntry])
  /// This replica leads, and has told all entries from before.
  case becamePrimary(Epoch)
  /// It does not lead any more; what it appended and was not told as committed may still be, or never.
  case lostPrimary(address: String?)
  /// The answer to `read`: all that was acknowledged anywhere before the question has been told.
  case readable(UInt64)
  /// `read` could not be answered: another replica leads, or nobody does.
  case unreadable(UInt64, address: String?)
  /// The answer to `change`; nil when it is done.
  case changed(UInt64, ManagementError?)
}

/// What a manager needs of its log: the seam behind which Paxos, or etcd, may stand.
public protocol ReplicatedLog: Sendable {
  /// What happens, in order, from the beginning of this replica's life; to be consumed once.
  var events: AsyncStream<LogEvent> { get }

  /// Appends an entry behind those appended before; `events` tells what becomes of it.
  func append(_ entry: Entry)

  /// Asks whether all that was acknowledged so far has been told; answered among the events.
  func read(_ request: UInt64)

  /// Changes who votes, or who leads; answered among the events.
  func change(_ request: UInt64, _ change: ManagerChange)

  /// The managers as this one knows them.
  func group() async -> ManagerGroup
}
