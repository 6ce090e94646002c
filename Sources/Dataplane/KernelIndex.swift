public import Wire

/// Where in the kernel's array of endpoints an address is found: open addressing with steps of one.
///
/// The kernel's own hash maps would do, but asking one costs a program as much as all its other look-ups
/// together: four functions are called, and with the mitigations of today's CPUs each return is expensive.
public enum KernelIndex {
  /// Places of the index, 4 bytes each: a power of two, and at least twice the endpoints.
  @inline(always) public static var places: Int { 131_072 }
  /// How far from its first place an endpoint may be; with half the places taken some are 60 away, with a tenth 8.
  @inline(always) public static var steps: Int { 128 }

  /// Where the search for a key begins.
  @inline(always) public static func place(_ key: UInt64, seed: UInt64) -> UInt64 {
    PoolHash.mixed(key ^ seed) >> 47
  }

  #if !$Embedded
  /// Makes the index of keys of which the first has number `first`; a place without endpoint holds 0.
  ///
  /// Nil when a key would be out of reach.
  static func make(_ keys: [UInt64], first: UInt32, seed: UInt64) -> [UInt32]? {
    var index = [UInt32](repeating: 0, count: places)
    for (offset, key) in keys.enumerated() {
      let start = place(key, seed: seed)
      let step = (0..<steps).first { index[(Int(start) + $0) & (places - 1)] == 0 }
      guard let step else { return nil }
      index[(Int(start) + step) & (places - 1)] = first + UInt32(offset)
    }
    return index
  }
  #endif
}
