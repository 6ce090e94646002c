/// What happened in one stage: its queues, and what they add up to.
public struct StageMetrics: Equatable, Sendable {
  /// The stage.
  public let stage: Stage
  /// By priority, the highest first.
  public let queues: [QueueMetrics]
  /// The most works that ever waited in all queues of the stage together.
  public let highWaterMark: Int

  /// What happened in one queue.
  public subscript(priority: Priority) -> QueueMetrics { queues[priority.rawValue] }

  /// Works that wait.
  public var length: Int { queues.reduce(0) { $0 + $1.length } }
  /// Works taken in.
  public var admitted: UInt64 { sum(\.admitted) }
  /// Works not taken.
  public var shed: UInt64 { sum(\.shed) }
  /// Works that became too old.
  public var expired: UInt64 { sum(\.expired) }
  /// Works done.
  public var finished: UInt64 { sum(\.finished) }
  /// Workers busy with the stage.
  public var running: UInt64 { sum(\.running) }
  /// From admission to a worker, or to expiry.
  public var wait: DurationHistogram { total(\.wait) }
  /// From a worker to the end.
  public var service: DurationHistogram { total(\.service) }

  private func sum(_ value: KeyPath<QueueMetrics, UInt64>) -> UInt64 {
    queues.reduce(0) { $0 + $1[keyPath: value] }
  }

  private func total(_ value: KeyPath<QueueMetrics, DurationHistogram>) -> DurationHistogram {
    queues.reduce(into: DurationHistogram()) { $0.add($1[keyPath: value]) }
  }
}
