/// What a simulated life holds, and why.
enum Limits {
  /// Lines of the trace: the last seconds before a finding, a few screens.
  static let traceLines = 120
  /// How long either end of a stream waits for a sign of the other: three pings and a little.
  static let silence: Moment = .milliseconds(3_500)
  /// After which a MUX that acknowledges nothing may count no more: ten seconds of a manager's clock, which may run a
  /// tenth too fast.
  static let patience: Moment = .seconds(9)
  /// Reports of one stream that wait at a manager: an agent that says more is not read further.
  static let reportsPerStream = 256
  /// How long after the last fault all must have come to the same end: a lease, elections, and every agent's
  /// search for the primary fit into it several times.
  static let convergence: Moment = .seconds(40)
  /// Disks that are lost in one life.
  static let disksLost = 2
  /// What is kept for a process that is stopped: two minutes of heartbeats and pings from everybody.
  static let eventsPerSuspension = 20_000
}
