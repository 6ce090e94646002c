/// A UDP header at a place of a frame (RFC 768).
///
/// ```
///   0                   1                   2                   3
///   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///  +-------------------------------+-------------------------------+
///  |          Source Port          |       Destination Port        |
///  +-------------------------------+-------------------------------+
///  |            Length             |           Checksum            |
///  +-------------------------------+-------------------------------+
/// ```
public struct UDPHeader: BitwiseCopyable, Sendable {
  /// Always the same.
  @inline(always) public static var byteCount: Int { 8 }
  /// Where the checksum lies within the header.
  @inline(always) public static var checksumOffset: Int { 6 }
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
  /// Header and payload.
  @inline(always) public func length(_ frame: borrowing Frame) -> Int { Int(frame.load16(offset &+ 4)) }
  /// As it lies in memory; 0 means that the sender computed none.
  @inline(always) public func checksum(_ frame: borrowing Frame) -> UInt16 {
    frame.load(offset &+ 6, as: UInt16.self)
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
    frame.store(checksum, at: offset &+ 6)
  }
}
