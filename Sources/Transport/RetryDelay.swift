/// How long to wait before the next attempt: doubles up to a limit, and is shortened at random, so that the agents of
/// a restarted manager do not all come at once.
struct RetryDelay {
  private var current = Limits.firstRetry

  /// The next delay; `fraction` from 0 to 1 is the caller's random number.
  mutating func next(fraction: Double) -> Duration {
    let delay = current * (0.5 + 0.5 * fraction)
    current = min(current * 2, Limits.longestRetry)
    return delay
  }

  /// Begins anew after a success.
  mutating func reset() { current = Limits.firstRetry }
}
