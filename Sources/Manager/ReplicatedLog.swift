public import Control

/// Why a log did not take entries; none of them will ever take effect.
public enum LogError: Error, Hashable, Sendable {
  /// Another replica is primary; `address` says where, if it is known.
  case notPrimary(address: String?)
  /// The disk, or a majority of replicas, could not be written to; a sentence that says what and what to do.
  case cannotWrite(reason: String)
}

/// What a manager needs of its log: the seam behind which a file, Paxos or etcd may stand.
///
/// One caller at a time uses it, and waits for one call before it makes the next.
public protocol ReplicatedLog: Sendable {
  /// All that is durable, put together, and the epoch in which this replica is primary; no epoch if it is
  /// not.
  ///
  /// Every call that gives an epoch gives a greater one than all before, on this replica or another.
  func recover() async throws -> (state: ManagerState, epoch: Epoch?)

  /// Appends entries in order, all or none, and returns the revision of the first when all are durable.
  func append(_ entries: [Entry]) async throws(LogError) -> Revision

  /// Keeps this state in place of the entries up to its revision.
  func compact(_ state: ManagerState) async throws(LogError)
}
