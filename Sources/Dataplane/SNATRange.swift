public import Wire

/// Eight ports of a VIP, leased to one VM as a whole: TCP, UDP, and identifiers of ICMP echo alike.
public struct SNATRange: Hashable, Sendable, BitwiseCopyable {
  /// The virtual address.
  public let vip: IPv4Address
  /// A multiple of 8.
  public let firstPort: UInt16

  /// The range that has a port.
  @inline(always) public init(vip: IPv4Address, holding port: UInt16) {
    self.vip = vip
    firstPort = port & ~7
  }

  /// The same as a number of 45 bits.
  @inline(always) public var number: UInt64 { UInt64(vip.number) << 13 | UInt64(firstPort >> 3) }

  /// Takes a number apart that is a range.
  @inline(always) public init(number: UInt64) {
    vip = IPv4Address(number: UInt32(truncatingIfNeeded: number >> 13))
    firstPort = UInt16(truncatingIfNeeded: number << 3)
  }

  /// Written out because the compiler's own `==` cannot be inlined into another module.
  @inline(always) public static func == (a: Self, b: Self) -> Bool { a.number == b.number }
}

extension SNATRange: Comparable {
  /// Orders by VIP and port.
  @inline(always) public static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}
