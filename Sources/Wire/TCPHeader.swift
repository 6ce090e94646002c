/// The control bits of a TCP header (RFC 9293 §3.1).
public struct TCPFlags: Hashable, Sendable, BitwiseCopyable {
  /// CWR, ECE, URG, ACK, PSH, RST, SYN, FIN from the highest bit to the lowest.
  public let rawValue: UInt8
  /// Wraps the bits.
  @inline(always) public init(_ rawValue: UInt8) { self.rawValue = rawValue }
  /// No more data from the sender.
  @inline(always) public static var fin: TCPFlags { TCPFlags(0x01) }
  /// Synchronise sequence numbers.
  @inline(always) public static var syn: TCPFlags { TCPFlags(0x02) }
  /// Reset the connection.
  @inline(always) public static var rst: TCPFlags { TCPFlags(0x04) }
  /// Push.
  @inline(always) public static var psh: TCPFlags { TCPFlags(0x08) }
  /// The acknowledgement number counts.
  @inline(always) public static var ack: TCPFlags { TCPFlags(0x10) }
  /// Both sets of bits.
  @inline(always) public static func | (a: TCPFlags, b: TCPFlags) -> TCPFlags {
    TCPFlags(a.rawValue | b.rawValue)
  }
  /// Whether all the other's bits are set.
  @inline(always) public func has(_ other: TCPFlags) -> Bool {
    rawValue & other.rawValue == other.rawValue
  }
  /// Whether this is the first segment of a connection: SYN without ACK.
  @inline(always) public var opens: Bool { rawValue & 0x12 == 0x02 }
  /// Whether the bits contradict each other: SYN together with FIN or RST.
  @inline(always) public var isNonsense: Bool { rawValue & 0x02 != 0 && rawValue & 0x05 != 0 }
  /// Written out because the compiler's own `==` cannot be inlined into another module.
  @inline(always) public static func == (a: Self, b: Self) -> Bool { a.rawValue == b.rawValue }
}

/// A TCP header at a place of a frame (RFC 9293 §3.1).
///
/// ```
///   0                   1                   2                   3
///   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///  +-------------------------------+-------------------------------+
///  |          Source Port          |       Destination Port        |
///  +-------------------------------+-------------------------------+
///  |                        Sequence Number                        |
///  |                    Acknowledgment Number                      |
///  +-------+-------+-+-+-+-+-+-+-+-+-------------------------------+
///  | Data  |       |C|E|U|A|P|R|S|F|                               |
///  | Offset| Rsrvd |W|C|R|C|S|S|Y|I|            Window             |
///  |       |       |R|E|G|K|H|T|N|N|                               |
///  +-------+-------+-+-+-+-+-+-+-+-+-------------------------------+
///  |           Checksum            |         Urgent Pointer        |
///  +-------------------------------+-------------------------------+
///  |                           Options                             |
/// ```
public struct TCPHeader: BitwiseCopyable, Sendable {
  /// Of a header without options, the shortest.
  @inline(always) public static var byteCount: Int { 20 }
  /// Where the checksum lies within the header.
  @inline(always) public static var checksumOffset: Int { 16 }
  /// Where in the frame the header begins.
  public let offset: Int
  /// Names the place; reads nothing.
  @inline(always) public init(at offset: Int) { self.offset = offset }

  /// The sender's port.
  @inline(always) public func sourcePort(_ frame: borrowing Frame) -> UInt16 { frame.load16(offset) }
  /// The receiver's port.
  @inline(always) public func destinationPort(_ frame: borrowing Frame) -> UInt16 {
    frame.load16(offset &+ 2)
  }
  /// The first byte's number; of a SYN the initial one.
  @inline(always) public func sequence(_ frame: borrowing Frame) -> UInt32 { frame.load32(offset &+ 4) }
  /// The next byte expected.
  @inline(always) public func acknowledgment(_ frame: borrowing Frame) -> UInt32 {
    frame.load32(offset &+ 8)
  }
  /// Bytes of the header with its options, 0 to 60 as it says itself.
  @inline(always) public func headerLength(_ frame: borrowing Frame) -> Int {
    Int(frame.load(offset &+ 12, as: UInt8.self) >> 4) &* 4
  }
  /// The control bits.
  @inline(always) public func flags(_ frame: borrowing Frame) -> TCPFlags {
    TCPFlags(frame.load(offset &+ 13, as: UInt8.self))
  }
  /// As it lies in memory.
  @inline(always) public func checksum(_ frame: borrowing Frame) -> UInt16 {
    frame.load(offset &+ 16, as: UInt16.self)
  }
  /// Replaces the sender's port.
  @inline(always) public func setSourcePort(_ port: UInt16, _ frame: inout Frame) {
    frame.store16(port, at: offset)
  }
  /// Replaces the receiver's port.
  @inline(always) public func setDestinationPort(_ port: UInt16, _ frame: inout Frame) {
    frame.store16(port, at: offset &+ 2)
  }
  /// Replaces the checksum by one that lies as in memory.
  @inline(always) public func setChecksum(_ checksum: UInt16, _ frame: inout Frame) {
    frame.store(checksum, at: offset &+ 16)
  }
}
