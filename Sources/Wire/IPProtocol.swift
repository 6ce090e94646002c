/// The protocol field of an IPv4 header.
public struct IPProtocol: Hashable, Sendable, BitwiseCopyable {
  /// The number IANA assigned.
  public let rawValue: UInt8
  /// Wraps the number.
  @inline(always) public init(_ rawValue: UInt8) { self.rawValue = rawValue }
  /// RFC 792.
  @inline(always) public static var icmp: IPProtocol { IPProtocol(1) }
  /// IP in IP, RFC 2003.
  @inline(always) public static var ipip: IPProtocol { IPProtocol(4) }
  /// RFC 9293.
  @inline(always) public static var tcp: IPProtocol { IPProtocol(6) }
  /// RFC 768.
  @inline(always) public static var udp: IPProtocol { IPProtocol(17) }
  /// Written out because the compiler's own `==` cannot be inlined into another module.
  @inline(always) public static func == (a: Self, b: Self) -> Bool { a.rawValue == b.rawValue }
}
