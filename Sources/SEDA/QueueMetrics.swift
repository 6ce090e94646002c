/// What happened in one queue of a stage; every admitted work is in exactly one of length, started and expired.
public struct QueueMetrics: Equatable, Sendable {
  /// Works that wait.
  public internal(set) var length = 0
  /// The most that ever waited.
  public internal(set) var highWaterMark = 0
  /// Works taken in.
  public internal(set) var admitted: UInt64 = 0
  /// Works not taken since the queue was full.
  public internal(set) var shedAsFull: UInt64 = 0
  /// Works not taken since their key had too much under way.
  public internal(set) var shedAsKeyLimit: UInt64 = 0
  /// Works that became too old.
  public internal(set) var expired: UInt64 = 0
  /// Works given to a worker.
  public internal(set) var started: UInt64 = 0
  /// Works done.
  public internal(set) var finished: UInt64 = 0
  /// From admission to a worker, or to expiry.
  public internal(set) var wait = DurationHistogram()
  /// From a worker to the end.
  public internal(set) var service = DurationHistogram()

  /// Workers busy with the queue's works.
  public var running: UInt64 { started - finished }
  /// Works not taken, whatever the reason.
  public var shed: UInt64 { shedAsFull + shedAsKeyLimit }

  mutating func length(is length: Int) {
    self.length = length
    highWaterMark = max(highWaterMark, length)
  }

  mutating func shed(_ reason: ShedReason) {
    switch reason {
    case .queueFull: shedAsFull += 1
    case .keyLimit: shedAsKeyLimit += 1
    }
  }
}
