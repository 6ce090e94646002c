/// FNV-1a, 64 bits, with a last step that spreads every bit over all others.
///
/// Sums of such values stand for a set of rows; without the last step (that of SplitMix64, Steele et al.,
/// "Fast Splittable Pseudorandom Number Generators", 2014) changes of two rows could cancel each other out.
struct Checksum {
  private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

  var value: UInt64 {
    var mixed = hash
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  /// Takes octets in; how many is not part of the sum, so they come last.
  mutating func add(_ octets: [UInt8]) {
    for octet in octets { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01b3 }
  }

  /// Takes a number in, most significant octet first.
  mutating func add(_ number: UInt64) {
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      hash = (hash ^ (number >> shift & 0xff)) &* 0x100_0000_01b3
    }
  }
}
