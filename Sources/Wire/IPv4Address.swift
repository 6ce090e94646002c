/// An IPv4 address, kept as it lies in a packet.
public struct IPv4Address: Hashable, Sendable, BitwiseCopyable {
  /// The four octets in network byte order, as loaded from memory.
  public let raw: UInt32

  /// Takes the octets as they lie in memory.
  @inline(always) public init(raw: UInt32) { self.raw = raw }

  /// Takes four octets in reading order.
  @inline(always) public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
    self.init(number: UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d))
  }

  /// Takes the address as a number, most significant octet first.
  @inline(always) public init(number: UInt32) { raw = number.bigEndian }

  /// The address as a number, most significant octet first.
  @inline(always) public var number: UInt32 { UInt32(bigEndian: raw) }

  /// 0.0.0.0, which stands for "none" in tables.
  @inline(always) public static var any: IPv4Address { IPv4Address(raw: 0) }

  /// Written out because the compiler's own `==` cannot be inlined into another module.
  @inline(always) public static func == (a: Self, b: Self) -> Bool { a.raw == b.raw }
}

extension IPv4Address: Comparable {
  /// Orders addresses as numbers, so that sorted tables are the same on every machine.
  @inline(always) public static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}
