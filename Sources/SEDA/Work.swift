/// Names a piece of work that was admitted; given in order of admission and never twice by one scheduler.
public struct Ticket: Comparable, Hashable, Sendable {
  /// Counted from 1.
  public let number: UInt64

  /// Whether the left work was admitted before the right one.
  public static func < (left: Ticket, right: Ticket) -> Bool {
    left.number < right.number
  }
}

/// A piece of work that was admitted.
public struct Work<Key: Hashable & Sendable, Payload: Sendable>: Sendable {
  /// What `StageScheduler.finished` is told when the work is done.
  public let ticket: Ticket
  /// Whose turn it takes: a tenant, a virtual machine, a node.
  public let key: Key
  /// The stage that does it.
  public let stage: Stage
  /// The queue of the stage that holds it.
  public let priority: Priority
  /// When it was admitted, microseconds.
  public let admittedAt: UInt64
  /// When it is too old to be started, microseconds.
  public let expiresAt: UInt64
  /// What is to be done.
  public let payload: Payload
}

extension Work: Equatable where Payload: Equatable {}
