/// An IPv4 header at a place of a frame (RFC 791 §3.1).
///
/// ```
///   0                   1                   2                   3
///   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///  +-------+-------+---------------+-------------------------------+
///  |Version|  IHL  |Type of Service|          Total Length         |
///  +-------+-------+---------------+-----+-------------------------+
///  |         Identification        |Flags|     Fragment Offset     |
///  +---------------+---------------+-----+-------------------------+
///  |  Time to Live |    Protocol   |        Header Checksum        |
///  +---------------+---------------+-------------------------------+
///  |                         Source Address                        |
///  |                      Destination Address                      |
/// ```
public struct IPv4Header: BitwiseCopyable, Sendable {
  /// Of a header without options, the only kind Ananta forwards.
  @inline(always) public static var byteCount: Int { 20 }
  /// Where in the frame the header begins.
  public let offset: Int
  /// Names the place; reads nothing.
  @inline(always) public init(at offset: Int) { self.offset = offset }

  /// Version in the high four bits, header length in 32-bit words in the low: 0x45 without options.
  @inline(always) public func versionAndLength(_ frame: borrowing Frame) -> UInt8 {
    frame.load(offset, as: UInt8.self)
  }
  /// DSCP and ECN.
  @inline(always) public func typeOfService(_ frame: borrowing Frame) -> UInt8 {
    frame.load(offset &+ 1, as: UInt8.self)
  }
  /// Header and payload.
  @inline(always) public func totalLength(_ frame: borrowing Frame) -> Int { Int(frame.load16(offset &+ 2)) }
  /// Tells the fragments of one packet from those of another.
  @inline(always) public func identification(_ frame: borrowing Frame) -> UInt16 { frame.load16(offset &+ 4) }
  /// Flags and fragment offset.
  @inline(always) public func fragmentWord(_ frame: borrowing Frame) -> UInt16 { frame.load16(offset &+ 6) }
  /// Whether this is a piece of a packet: more fragments follow, or it is not the first.
  @inline(always) public func isFragment(_ frame: borrowing Frame) -> Bool {
    fragmentWord(frame) & 0x3fff != 0
  }
  /// Whether routers must not fragment it.
  @inline(always) public func dontFragment(_ frame: borrowing Frame) -> Bool {
    fragmentWord(frame) & 0x4000 != 0
  }
  /// Hops left.
  @inline(always) public func timeToLive(_ frame: borrowing Frame) -> UInt8 {
    frame.load(offset &+ 8, as: UInt8.self)
  }
  /// What the payload is.
  @inline(always) public func proto(_ frame: borrowing Frame) -> IPProtocol {
    IPProtocol(frame.load(offset &+ 9, as: UInt8.self))
  }
  /// As it lies in memory.
  @inline(always) public func checksum(_ frame: borrowing Frame) -> UInt16 {
    frame.load(offset &+ 10, as: UInt16.self)
  }
  /// Who sent it.
  @inline(always) public func source(_ frame: borrowing Frame) -> IPv4Address {
    IPv4Address(raw: frame.load(offset &+ 12, as: UInt32.self))
  }
  /// Where it is to go.
  @inline(always) public func destination(_ frame: borrowing Frame) -> IPv4Address {
    IPv4Address(raw: frame.load(offset &+ 16, as: UInt32.self))
  }
  /// Takes a hop away, as a router does, and keeps the checksum right; the caller has asked whether there is one.
  @inline(always) public func spendHop(_ frame: inout Frame) {
    let old = frame.load(offset &+ 8, as: UInt16.self)
    let new = (UInt16(bigEndian: old) &- 0x100).bigEndian
    frame.store(new, at: offset &+ 8)
    frame.store(InternetChecksum.updated(checksum(frame), from: old, to: new), at: offset &+ 10)
  }
  /// Whether the header checksum is right.
  @inline(always) public func isIntact(_ frame: borrowing Frame) -> Bool {
    var sum = InternetChecksum()
    sum.add(frame.load(offset, as: UInt32.self))
    sum.add(frame.load(offset &+ 4, as: UInt32.self))
    sum.add(frame.load(offset &+ 8, as: UInt32.self))
    sum.add(frame.load(offset &+ 12, as: UInt32.self))
    sum.add(frame.load(offset &+ 16, as: UInt32.self))
    return sum.folded == 0xffff
  }
}
