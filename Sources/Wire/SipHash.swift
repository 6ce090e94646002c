/// SipHash-2-4 with 128 bits of result: a keyed hash that nobody without the key can forge.
///
/// Aumasson, Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012, and its variant of doubled output. A
/// word is eight octets, least significant first.
public struct SipHash: Sendable, BitwiseCopyable {
  /// The result: what is sent along, and compared.
  public struct Tag: Hashable, Sendable, BitwiseCopyable {
    /// The first eight octets, least significant first.
    public var low: UInt64
    /// The last eight octets.
    public var high: UInt64

    /// Joins the halves.
    @inline(always) public init(low: UInt64, high: UInt64) {
      self.low = low
      self.high = high
    }

    /// Compares in the same time wherever they differ.
    @inline(always) public static func == (a: Self, b: Self) -> Bool {
      (a.low ^ b.low) | (a.high ^ b.high) == 0
    }
  }

  @usableFromInline var v0: UInt64
  @usableFromInline var v1: UInt64
  @usableFromInline var v2: UInt64
  @usableFromInline var v3: UInt64

  /// Begins with a key of 128 bits.
  @inline(always) public init(low: UInt64, high: UInt64) {
    v0 = low ^ 0x736f_6d65_7073_6575
    v1 = high ^ 0x646f_7261_6e64_6f6d ^ 0xee
    v2 = low ^ 0x6c79_6765_6e65_7261
    v3 = high ^ 0x7465_6462_7974_6573
  }

  /// Takes a whole word in.
  @inline(always) public mutating func add(_ word: UInt64) {
    v3 ^= word
    round()
    round()
    v0 ^= word
  }

  /// Takes the last zero to seven octets in, least significant first, and ends.
  ///
  /// - Parameters:
  ///   - rest: the octets; those above are zero.
  ///   - byteCount: of the whole message.
  /// - Returns: the tag.
  @inline(always) public consuming func finish(rest: UInt64, byteCount: Int) -> Tag {
    add(UInt64(truncatingIfNeeded: byteCount) << 56 | rest)
    v2 ^= 0xee
    for _ in 0..<4 { round() }
    let low = v0 ^ v1 ^ v2 ^ v3
    v1 ^= 0xdd
    for _ in 0..<4 { round() }
    return Tag(low: low, high: v0 ^ v1 ^ v2 ^ v3)
  }

  @inlinable mutating func round() {
    v0 &+= v1
    v1 = v1 << 13 | v1 >> 51
    v1 ^= v0
    v0 = v0 << 32 | v0 >> 32
    v2 &+= v3
    v3 = v3 << 16 | v3 >> 48
    v3 ^= v2
    v0 &+= v3
    v3 = v3 << 21 | v3 >> 43
    v3 ^= v0
    v2 &+= v1
    v1 = v1 << 17 | v1 >> 47
    v1 ^= v2
    v2 = v2 << 32 | v2 >> 32
  }
}
