/// A mistake put into the world around the product's code on purpose; the checkers must find it.
///
/// None of them is a switch in the product: each makes a disk, a clock, an agent or the program's snapshot
/// behave as if somebody had written that code wrongly.
public enum Bug: String, CaseIterable, Sendable {
  /// The disk keeps everything but promises.
  case promiseNotPersisted
  /// The disk reports a batch as synced before it is.
  case acceptAnsweredBeforeFsync
  /// Nodes carry out whatever they are told, whoever says so.
  case stalePrimaryNotFenced
  /// Replicas believe that clocks do not drift.
  case leaseIgnoresDrift
  /// The program's snapshot lacks what the last entry did that it claims to hold.
  case snapshotLosesLastEntry
  /// A primary answers what changes nothing without asking the log whether it still is one.
  case idleAnswerUnconfirmed
  /// A replica that lost its disk comes back under its old name.
  case amnesiacVoter
  /// Managers take it for granted that a MUX has carried out what it is sent.
  case grantBeforeMuxes
  /// Hosts give ports back and go on using them until the lease has ended.
  case rangeReusedWhileHeld
}
