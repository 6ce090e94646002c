/// An IPv4 prefix in CIDR notation; bits behind the length are zero.
public struct IPv4Prefix: Hashable, Sendable, BitwiseCopyable {
  /// The first address of the prefix.
  public let address: IPv4Address
  /// The number of leading bits that count, 0 to 32.
  public let length: UInt8

  /// Clears the host bits of `address`; `length` above 32 counts as 32.
  @inline(always) public init(_ address: IPv4Address, length: UInt8) {
    self.length = min(length, 32)
    self.address = IPv4Address(number: address.number & Self.mask(self.length))
  }

  /// The mask of a prefix length as a number, most significant octet first.
  @inline(always) public static func mask(_ length: UInt8) -> UInt32 {
    length == 0 ? 0 : ~0 << (32 - UInt32(min(length, 32)))
  }

  /// Whether the address lies within the prefix.
  @inline(always) public func contains(_ other: IPv4Address) -> Bool {
    other.number & Self.mask(length) == address.number
  }

  /// Whether the two prefixes have an address in common.
  @inline(always) public func overlaps(_ other: IPv4Prefix) -> Bool {
    contains(other.address) || other.contains(address)
  }

  /// Written out because the compiler's own `==` cannot be inlined into another module.
  @inline(always) public static func == (a: Self, b: Self) -> Bool {
    a.address == b.address && a.length == b.length
  }
}
