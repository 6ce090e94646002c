/// What one queue of a stage holds, for how long, and when it is served.
public struct QueuePolicy: Equatable, Sendable {
  /// When the shared pool serves the queue, compared with all others.
  public var rank: Rank
  /// Works that may wait at once.
  public var capacity: Int
  /// How long a work may wait before it is expired, microseconds.
  public var ageLimitMicroseconds: UInt64
  /// Works of one key that may be waiting or running at once.
  public var outstandingPerKey: Int

  /// Makes a policy.
  ///
  /// - Parameters:
  ///   - rank: when the shared pool serves the queue.
  ///   - capacity: works that may wait at once, 1 to 65,536.
  ///   - ageLimitMicroseconds: how long a work may wait, 1 microsecond to 10 minutes.
  ///   - outstandingPerKey: works of one key that may be waiting or running at once, at least 1.
  public init(rank: Rank, capacity: Int, ageLimitMicroseconds: UInt64, outstandingPerKey: Int) {
    precondition((1...Limits.queueCapacity).contains(capacity), "capacity of a queue out of range")
    precondition((1...Limits.ageMicroseconds).contains(ageLimitMicroseconds), "age limit out of range")
    precondition(outstandingPerKey > 0, "limit of a key below 1")
    self.rank = rank
    self.capacity = capacity
    self.ageLimitMicroseconds = ageLimitMicroseconds
    self.outstandingPerKey = outstandingPerKey
  }
}
