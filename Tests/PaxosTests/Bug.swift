/// A mistake put into the world around a replica on purpose; the checkers must find it.
enum Bug: String, CaseIterable, Sendable {
  /// The disk reports a batch as synced before it is.
  case answersBeforeSync
  /// The disk keeps everything but promises.
  case promiseNotPersisted
  /// Replicas believe that clocks do not drift.
  case leaseIgnoresDrift
  /// The program's snapshot lacks the last entry it claims to hold.
  case snapshotLosesLastEntry
  /// A replica that lost its disk comes back under its old name.
  case amnesiacVoter
}
