/// How long to wait before the next attempt: doubles up to a limit, and is shortened at random, so that the agents of
/// a restarted manager do not all come at once.
struct RetryDelay {
  private let first: Duration
  private let longest: Duration
  private var current: Duration

  /// Begins with the first delay; the usual ones are an agent's.
  init(first: Duration = Limits.firstRetry, longest: Duration = Limits.longestRetry) {
    self.first = first
    self.longest = longest
    current = first
  }

  /// The next delay; `fraction` from 0 to 1 is the caller's random number.
  mutating func next(fraction: Double) -> Duration {
    let delay = current * (0.5 + 0.5 * fraction)
    current = min(current * 2, longest)
    return delay
  }

  /// Begins anew after a success.
  mutating func reset() { current = first }
}
