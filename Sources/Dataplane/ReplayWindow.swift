/// Which sequence numbers of one sender have come already: the newest, and the 63 before it (RFC 4303, section
/// 3.4.3 and appendix A2).
public struct ReplayWindow: Hashable, Sendable {
  private var newest: UInt64 = 0
  /// Bit `i` stands for `newest - i`.
  private var seen: UInt64 = 0

  /// Before the first datagram.
  public init() {}

  /// Notes a number whose seal was right; false when it has come before, or is too old to tell.
  public mutating func take(_ sequence: UInt64) -> Bool {
    guard sequence <= newest, seen != 0 else {
      let distance = sequence - newest
      seen = (distance < 64 ? seen << distance : 0) | 1
      newest = sequence
      return true
    }
    let distance = newest - sequence
    guard distance < 64, seen & (1 << distance) == 0 else { return false }
    seen |= 1 << distance
    return true
  }
}
