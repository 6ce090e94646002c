/// A token bucket for ICMP errors (RFC 1812 §4.3.2.8), filled by one token per millisecond.
struct ErrorBudget: BitwiseCopyable {
  var tokens: UInt32 = Limits.errorBurst
  var filledAt: UInt32 = 0

  /// Takes a token, if there is one, at a time in milliseconds.
  @inline(always) mutating func spend(now: UInt32) -> Bool {
    let elapsed = now &- filledAt
    // A clock that went back gives nothing.
    if Int32(bitPattern: elapsed) > 0 {
      let earned = min(elapsed, Limits.errorBurst) &* (Limits.errorsPerSecond / 1000)
      tokens = min(tokens &+ earned, Limits.errorBurst)
    }
    filledAt = now
    guard tokens > 0 else { return false }
    tokens &-= 1
    return true
  }
}
