public import Wire

/// Numbers that look like chance and are the same on every run (splitmix64).
public struct Random: RandomNumberGenerator {
  var state: UInt64

  /// Begins a sequence.
  public init(seed: UInt64) { state = seed }

  /// The next number.
  public mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var x = state
    x = (x ^ x >> 30) &* 0xbf58_476d_1ce4_e5b9
    x = (x ^ x >> 27) &* 0x94d0_49bb_1331_11eb
    return x ^ x >> 31
  }

  /// A number below a limit.
  public mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }

  /// Any five-tuple.
  public mutating func tuple() -> FiveTuple {
    let (a, b) = (next(), next())
    return FiveTuple(
      source: IPv4Address(number: UInt32(truncatingIfNeeded: a)),
      destination: IPv4Address(number: UInt32(truncatingIfNeeded: a >> 32)),
      sourcePort: UInt16(truncatingIfNeeded: b), destinationPort: UInt16(truncatingIfNeeded: b >> 16),
      proto: IPProtocol(UInt8(truncatingIfNeeded: b >> 32)))
  }
}
