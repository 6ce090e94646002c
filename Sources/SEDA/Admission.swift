/// The answer to a request to enter a stage (SEDA §3.3: an enqueue may fail, and the caller learns it).
public enum Admission: Equatable, Sendable {
  /// The work waits; it will be dispatched exactly once, to run or as expired.
  case admitted(Ticket)
  /// The work was not taken. Who asked is to be told so, and to ask again no sooner than this.
  case shed(ShedReason, retryAfterMilliseconds: UInt32)
}

/// Why a stage did not take a piece of work.
public enum ShedReason: CaseIterable, Equatable, Sendable {
  /// The queue holds as much as it may.
  case queueFull
  /// The key has as much under way as one key may (Ananta §3.6.1: at most one outstanding request from a DIP).
  case keyLimit
}
