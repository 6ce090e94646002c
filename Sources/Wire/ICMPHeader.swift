/// The type field of an ICMP header (RFC 792).
public struct ICMPType: Hashable, Sendable, BitwiseCopyable {
  /// The number IANA assigned.
  public let rawValue: UInt8
  /// Wraps the number.
  @inline(always) public init(_ rawValue: UInt8) { self.rawValue = rawValue }
  /// The answer of `ping`.
  @inline(always) public static var echoReply: ICMPType { ICMPType(0) }
  /// Could not be delivered; with code 4 it is too big (RFC 1191).
  @inline(always) public static var unreachable: ICMPType { ICMPType(3) }
  /// The question of `ping`.
  @inline(always) public static var echoRequest: ICMPType { ICMPType(8) }
  /// No hops left.
  @inline(always) public static var timeExceeded: ICMPType { ICMPType(11) }
  /// A header that makes no sense.
  @inline(always) public static var parameterProblem: ICMPType { ICMPType(12) }
  /// Whether messages of this type tell of another packet's fate and quote it; redirects (RFC 1812 §5.2.7.2)
  /// and source quench (RFC 6633) are not heeded.
  @inline(always) public var isError: Bool { rawValue == 3 || rawValue == 11 || rawValue == 12 }
  /// Written out because the compiler's own `==` cannot be inlined into another module.
  @inline(always) public static func == (a: Self, b: Self) -> Bool { a.rawValue == b.rawValue }
}

/// An ICMP header at a place of a frame (RFC 792; next-hop MTU: RFC 1191 §4).
///
/// ```
///   0                   1                   2                   3
///   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///  +---------------+---------------+-------------------------------+
///  |     Type      |     Code      |           Checksum            |
///  +---------------+---------------+-------------------------------+
///  |          Identifier           |        Sequence Number        |  echo
///  |            unused             |         Next-Hop MTU          |  unreachable, code 4
///  +---------------+---------------+-------------------------------+
///  |    errors: IPv4 header and at least 64 bits of the quoted packet
/// ```
public struct ICMPHeader: BitwiseCopyable, Sendable {
  /// Always the same.
  @inline(always) public static var byteCount: Int { 8 }
  /// The code of `unreachable` that asks for smaller packets.
  @inline(always) public static var fragmentationNeeded: UInt8 { 4 }
  /// Where in the frame the header begins.
  public let offset: Int
  /// Names the place; reads nothing.
  @inline(always) public init(at offset: Int) { self.offset = offset }

  /// What kind of message it is.
  @inline(always) public func type(_ frame: borrowing Frame) -> ICMPType {
    ICMPType(frame.load(offset, as: UInt8.self))
  }
  /// Refines the type.
  @inline(always) public func code(_ frame: borrowing Frame) -> UInt8 {
    frame.load(offset &+ 1, as: UInt8.self)
  }
  /// As it lies in memory.
  @inline(always) public func checksum(_ frame: borrowing Frame) -> UInt16 {
    frame.load(offset &+ 2, as: UInt16.self)
  }
  /// Of an echo: tells one `ping` from another.
  @inline(always) public func identifier(_ frame: borrowing Frame) -> UInt16 { frame.load16(offset &+ 4) }
  /// The packet that an error quotes.
  @inline(always) public var quoted: IPv4Header { IPv4Header(at: offset &+ Self.byteCount) }
  /// Replaces type and code.
  @inline(always) public func setTypeAndCode(_ type: ICMPType, _ code: UInt8, _ frame: inout Frame) {
    frame.store(type.rawValue, at: offset)
    frame.store(code, at: offset &+ 1)
  }
  /// Replaces the checksum by one that lies as in memory.
  @inline(always) public func setChecksum(_ checksum: UInt16, _ frame: inout Frame) {
    frame.store(checksum, at: offset &+ 2)
  }
}
