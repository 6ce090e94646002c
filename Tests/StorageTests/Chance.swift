/// Chance from a seed (SplitMix64).
struct Chance: RandomNumberGenerator {
  private var state: UInt64

  init(seed: Int) { state = UInt64(seed) }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }

  /// At most 1 MiB of them: somewhere out of a pool, which is quicker than one by one.
  mutating func octets(_ range: Range<Int>) -> [UInt8] {
    let count = number(range)
    let start = number(0..<Self.pool.count - count)
    return Array(Self.pool[start..<start + count])
  }

  private static let pool: [UInt8] = {
    var chance = Chance(seed: 0)
    return (0..<1 << 20).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
  }()
}
