/// How fast a queue is served, and when who was shed should come again.
///
/// Who was shed gets an appointment one measured interval after the one before, so that they come back as fast as
/// the queue is served and not all at once.
struct DrainRate: Sendable {
  /// The smoothed interval times its weight, so that the rounding of integers loses nothing.
  private var weightedInterval = Limits.firstIntervalMicroseconds * Limits.intervalWeight
  /// The last work taken while others waited; idle time says nothing about the rate.
  private var lastTake: UInt64?
  private var waitingSince: UInt64?
  private var lastAppointment: UInt64 = 0

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
    let due = max(now + step * UInt64(length) / 2, lastAppointment + step)
    let wait = Self.clamped(due - now)
    lastAppointment = min(due, now + wait)
    return Self.milliseconds(wait)
  }

  /// Milliseconds until a number of works have gone.
  func delay(works: Int, now: UInt64) -> UInt32 {
    Self.milliseconds(Self.clamped(interval(now: now) * UInt64(works)))
  }

  private static func clamped(_ microseconds: UInt64) -> UInt64 {
    min(max(microseconds, Limits.leastRetryMicroseconds), Limits.mostRetryMicroseconds)
  }

  private static func milliseconds(_ microseconds: UInt64) -> UInt32 {
    UInt32((microseconds + 999) / 1_000)
  }
}
