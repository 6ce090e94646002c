/// The Internet checksum, RFC 1071, and its incremental update, RFC 1624.
///
/// Sums stay in the byte order of memory throughout: the ones' complement sum does not care (RFC 1071 §2(B)),
/// and the swaps are saved. What `folded` yields is stored as it is.
public struct InternetChecksum: BitwiseCopyable, Sendable {
  /// The sum so far, not folded; 64 bits hold the sum of any packet without overflow.
  @usableFromInline var sum: UInt64

  /// Starts with nothing.
  @inline(always) public init() { sum = 0 }

  /// Adds a 16-bit word as it lies in memory.
  @inline(always) public mutating func add(_ word: UInt16) { sum &+= UInt64(word) }

  /// Adds two adjacent 16-bit words as they lie in memory.
  @inline(always) public mutating func add(_ words: UInt32) {
    // Folding brings the halves together: 2^16 is 1 in ones' complement arithmetic of 16 bits.
    sum &+= UInt64(words)
  }

  #if !KERNEL
  /// Adds `byteCount` bytes of the frame from `offset` on; the caller has asked whether they are there.
  ///
  /// An odd last byte is padded with zero.
  @inlinable public mutating func add(
    _ frame: borrowing Frame, from offset: Int, byteCount: Int
  ) {
    sum &+= frame.sum(from: offset, byteCount: byteCount)
  }
  #endif

  /// The ones' complement sum in 16 bits, not complemented: what a partial checksum field holds.
  @inline(always) public var folded: UInt16 {
    var rest = (sum & 0xffff_ffff) &+ (sum >> 32)
    rest = (rest & 0xffff) &+ (rest >> 16)
    rest = (rest & 0xffff) &+ (rest >> 16)
    rest = (rest & 0xffff) &+ (rest >> 16)
    return UInt16(truncatingIfNeeded: rest)
  }

  /// The checksum as it stands in a header.
  @inline(always) public var value: UInt16 { ~folded }

  /// A checksum after one 16-bit word of what it covers has changed.
  ///
  /// HC' = ~(~HC + ~m + m')  — RFC 1624, equation 3.
  @inline(always) public static func updated(
    _ checksum: UInt16, from old: UInt16, to new: UInt16
  ) -> UInt16 {
    var sum = UInt32(~checksum) &+ UInt32(~old) &+ UInt32(new)
    sum = (sum & 0xffff) &+ (sum >> 16)
    sum = (sum & 0xffff) &+ (sum >> 16)
    return ~UInt16(truncatingIfNeeded: sum)
  }

  /// A checksum after two adjacent words of what it covers have changed.
  @inline(always) public static func updated(
    _ checksum: UInt16, from old: UInt32, to new: UInt32
  ) -> UInt16 {
    var sum = UInt32(~checksum) &+ UInt32(~old & 0xffff) &+ UInt32(~old >> 16)
    sum = sum &+ UInt32(new & 0xffff) &+ UInt32(new >> 16)
    sum = (sum & 0xffff) &+ (sum >> 16)
    sum = (sum & 0xffff) &+ (sum >> 16)
    return ~UInt16(truncatingIfNeeded: sum)
  }
}
