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
  /// The log would like the state as it is after all that was told before this, by `snapshot`.
  case snapshotWanted(UInt64)
}

/// What a manager needs of its log: the seam behind which Paxos, or etcd, may stand.
public protocol ReplicatedLog: Sendable {
  /// What happens, in order, from the beginning of this replica's life; to be consumed once.
  var events: AsyncStream<LogEvent> { get }

  /// Why an entry could never be appended, for instance because of its size; nil if it could.
  func objection(to entry: Entry) -> ManagementError?

  /// Appends an entry behind those appended before; `events` tells what becomes of it.
  ///
  /// - Parameters:
  ///   - entry: what is to be made durable.
  ///   - epoch: in which the primary that wants it was last told to be one; what comes from before it was
  ///     deposed is dropped, as it was told.
  func append(_ entry: Entry, in epoch: Epoch)

  /// Answers `snapshotWanted`; an answer that never comes is asked for again much later.
  func snapshot(_ state: ManagerState, for question: UInt64)

  /// Asks whether all that was acknowledged so far has been told; answered among the events.
  func read(_ request: UInt64)

  /// Changes who votes, or who leads; answered among the events.
  func change(_ request: UInt64, _ change: ManagerChange)

  /// Why this replica takes part in nothing, for instance since its disk is full; nil if it does.
  var obstacle: String? { get }

  /// The managers as this one knows them.
  func group() async -> ManagerGroup

  /// Everything that is counted.
  func counters() -> [Counter]
}
