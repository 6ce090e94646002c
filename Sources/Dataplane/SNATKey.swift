public import Wire

/// Where the table of SNAT ranges has a range, and what it has there: in user space and in the kernel the same.
///
/// A lease is one word of 64 bits, so whoever reads it while it is written sees all of it or nothing, without
/// locks. It is in one of two buckets of eight words, a cache line each, and stays in its place as long as it
/// exists: no reader passes what it looks for, and no search is longer than sixteen words, whatever has come
/// and gone.
/// ```
///   63              32  31    30    29   27 26                0
///  |     locator      | 1 | second |   0   | rest of the range |     0: empty
/// ```
/// A range is a number of 45 bits. A bijection mixes it; its upper 18 bits are the first bucket and are not
/// stored, the lower 27 are the rest (quotienting, Knuth 6.4). The second bucket follows from both, so no two
/// ranges look alike.
public struct SNATKey: BitwiseCopyable, Sendable {
  /// Buckets of the table: twice the words that it holds; 16 MB.
  @inline(always) public static var buckets: Int { 1 << 18 }
  /// Words of a bucket.
  @inline(always) public static var ways: Int { 8 }
  /// A range goes to its second bucket when its first has so many and the second has fewer: one of ten does in a full
  /// table, and none finds both full (40 million leases of a full table were tried).
  @inline(always) public static var enough: Int { 5 }

  @inlinable @inline(__always) static var restBits: UInt64 { 27 }
  @inlinable @inline(__always) static var restMask: UInt64 { 1 << restBits &- 1 }
  @inlinable @inline(__always) static var mask: UInt64 { 1 << 45 &- 1 }
  @inlinable @inline(__always) static var secondBit: UInt32 { 1 << 30 }

  /// The bucket where the search begins.
  public let first: UInt32
  /// What is found there, without locator.
  public let tag: UInt32

  /// The key of a range.
  @inline(always) public init(_ range: SNATRange) {
    let mixed = Self.mixed(range.number)
    first = UInt32(truncatingIfNeeded: mixed >> Self.restBits)
    tag = UInt32(truncatingIfNeeded: mixed & Self.restMask) | 1 << 31
  }

  /// The other bucket.
  @inline(always) public var second: UInt32 { first ^ Self.difference(tag) }
  /// What is found there, without locator.
  @inline(always) public var secondTag: UInt32 { tag | Self.secondBit }

  /// Never 0.
  @inlinable @inline(__always) static func difference(_ tag: UInt32) -> UInt32 {
    (tag << 5 &* 0x9e37_79b1) >> 14 | 1
  }

  /// Whether a word has a tag.
  @inline(always) public static func matches(_ word: UInt64, _ tag: UInt32) -> Bool {
    UInt32(truncatingIfNeeded: word) == tag
  }

  /// The word of a lease.
  @inline(always) public static func word(_ tag: UInt32, _ locator: IPv4Address) -> UInt64 {
    UInt64(locator.raw) << 32 | UInt64(tag)
  }

  /// Whom a word names.
  @inline(always) public static func locator(_ word: UInt64) -> IPv4Address {
    IPv4Address(raw: UInt32(truncatingIfNeeded: word >> 32))
  }

  /// A bijection of numbers of 45 bits; not keyed, since ranges are the manager's choice, not a stranger's.
  @inlinable @inline(__always) static func mixed(_ number: UInt64) -> UInt64 {
    var x = number
    x ^= x >> 23
    x = x &* 0x1d6e_8feb_8665 & mask
    x ^= x >> 23
    x = x &* 0x1a07_61d6_478b & mask
    return x ^ x >> 23
  }

  #if !$Embedded
  /// What `mixed` was made of.
  static func unmixed(_ number: UInt64) -> UInt64 {
    var x = number ^ number >> 23
    x = x &* 0x189c_c263_a823 & mask
    x ^= x >> 23
    x = x &* 0x03ce_289c_bb6d & mask
    return x ^ x >> 23
  }

  /// The range of a word that lies in a bucket; nil when it is empty.
  static func range(of word: UInt64, in bucket: UInt32) -> SNATRange? {
    guard word != 0 else { return nil }
    let tag = UInt32(truncatingIfNeeded: word)
    let first = tag & secondBit == 0 ? bucket : bucket ^ difference(tag)
    return SNATRange(number: unmixed(UInt64(first) << restBits | word & restMask))
  }
  #endif
}
