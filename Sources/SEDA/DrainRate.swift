/// How fast a queue is served, and when who was shed should come again.
///
/// Who was shed gets a place in a line behind the queue that exists only as a number: it grows by one with each and
/// shrinks at the measured rate. So they come back as fast as the queue is served and not all at once.
struct DrainRate: Sendable {
  /// The smoothed interval times its weight, so that the rounding of integers loses nothing.
  private var weightedInterval = Limits.firstIntervalMicroseconds * Limits.intervalWeight
  /// The last work taken while others waited; idle time says nothing about the rate.
  private var lastTake: UInt64?
  private var waitingSince: UInt64?
  /// Those who were asked to come again and are not due yet.
  private var expected: UInt64 = 0
  private var expectedAt: UInt64 = 0

  /// Notes that a work entered.
  mutating func admitted(now: UInt64) {
    if waitingSince == nil { waitingSince = now }
  }

  /// Notes that a work was given to a worker.
  ///
  /// - Parameters:
  ///   - now: microseconds.
  ///   - remaining: works that still wait.
  mutating func took(now: UInt64, remaining: Int) {
    if let lastTake {
      let sample = min(now - lastTake, Limits.intervalMicroseconds)
      weightedInterval = weightedInterval - weightedInterval / Limits.intervalWeight + sample
    }
    left(now: now, remaining: remaining)
    if remaining > 0 { lastTake = now }
  }

  /// Notes that a work left, by a worker or by its age.
  mutating func left(now: UInt64, remaining: Int) {
    guard remaining == 0 else { return }
    lastTake = nil
    waitingSince = nil
  }

  /// Microseconds between two works; a queue that stands still counts as long as it stands.
  func interval(now: UInt64) -> UInt64 {
    let still = (lastTake ?? waitingSince).map { now - $0 } ?? 0
    return max(weightedInterval / Limits.intervalWeight, min(still, Limits.intervalMicroseconds), 1)
  }

  /// Milliseconds until a full queue has room for who is shed now.
  ///
  /// The first comes again when half of the queue has gone, so that it never runs empty for lack of them.
  mutating func appointment(length: Int, now: UInt64) -> UInt32 {
    let step = interval(now: now)
    let due = (now - expectedAt) / step
    expectedAt = due < expected ? expectedAt + due * step : now
    expected -= min(due, expected)
    let wait = step * UInt64(length) / 2 + step * expected
    if wait < Limits.mostRetryMicroseconds { expected += 1 }
    return Self.milliseconds(wait)
  }

  /// Milliseconds until a key has had a number of turns.
  ///
  /// - Parameters:
  ///   - turns: works of the key that go before.
  ///   - keys: keys that take turns.
  ///   - service: what a work takes on average, microseconds; a key's works may have to run one by one.
  ///   - now: microseconds.
  /// - Returns: 10 milliseconds to 30 seconds.
  func delay(turns: Int, keys: Int, service: UInt64, now: UInt64) -> UInt32 {
    let turn = min(max(interval(now: now) * UInt64(keys), service), Limits.mostRetryMicroseconds)
    return Self.milliseconds(UInt64(turns) * turn)
  }

  private static func milliseconds(_ microseconds: UInt64) -> UInt32 {
    let wait = min(max(microseconds, Limits.leastRetryMicroseconds), Limits.mostRetryMicroseconds)
    return UInt32((wait + 999) / 1_000)
  }
}
