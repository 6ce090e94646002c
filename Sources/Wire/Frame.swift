#if !KERNEL
/// A packet in its buffer, with room before it for more headers: the only type that touches bytes.
///
/// ```
///  buffer  |<-- headroom 64 -->|<------- packet, byteCount ------->|<-- tailroom -->|
///  offset -64                  0                                byteCount
/// ```
/// Offsets count from the start of the packet. The buffer always holds `guaranteed` bytes from there on,
/// whatever the packet's length, so that a constant offset needs no check of its own: `init?` is the one
/// check for all of them. Whether bytes belong to the packet is asked by `holds`. A variable offset
/// must be asked for first; beyond the buffer it traps.
public struct Frame: ~Copyable, ~Escapable {
  /// Bytes kept free before every packet; a constant, so that one check covers every constant offset.
  @inline(always) public static var headroom: Int { 64 }
  /// Bytes behind the packet's start that the buffer has, whatever the packet's length.
  @inline(always) public static var guaranteed: Int { 192 }

  @usableFromInline var buffer: MutableRawSpan
  /// The length of the packet.
  public let byteCount: Int

  /// Takes a buffer whose packet begins behind the headroom; nil when the buffer is too small for it.
  @inline(always) @_lifetime(copy buffer)
  public init?(_ buffer: consuming MutableRawSpan, byteCount: Int) {
    guard buffer.byteCount >= Self.headroom + Self.guaranteed else { return nil }
    guard byteCount >= 0, byteCount <= buffer.byteCount &- Self.headroom else { return nil }
    self.buffer = buffer
    self.byteCount = byteCount
  }

  /// Whether the packet has at least this many bytes.
  @inline(always) public func holds(_ count: Int) -> Bool { count <= byteCount }

  /// The value that lies at an offset, as it lies in memory.
  @inline(always) public func load<Value: BitwiseCopyable>(_ offset: Int, as _: Value.Type) -> Value {
    unsafe buffer.unsafeLoadUnaligned(fromByteOffset: Self.headroom &+ offset, as: Value.self)
  }

  /// Lays a value down at an offset, as it lies in memory.
  @inline(always) public mutating func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
    buffer.storeBytes(of: value, toByteOffset: Self.headroom &+ offset, as: Value.self)
  }

  /// A 16-bit number in network byte order.
  @inline(always) public func load16(_ offset: Int) -> UInt16 {
    UInt16(bigEndian: load(offset, as: UInt16.self))
  }

  /// A 32-bit number in network byte order.
  @inline(always) public func load32(_ offset: Int) -> UInt32 {
    UInt32(bigEndian: load(offset, as: UInt32.self))
  }

  /// Lays a 16-bit number down in network byte order.
  @inline(always) public mutating func store16(_ value: UInt16, at offset: Int) {
    store(value.bigEndian, at: offset)
  }

  /// Lays a 32-bit number down in network byte order.
  @inline(always) public mutating func store32(_ value: UInt32, at offset: Int) {
    store(value.bigEndian, at: offset)
  }

  /// The sum of bytes from an offset on, taken as words in the order of memory, fit for `InternetChecksum`.
  ///
  /// An odd last byte is padded with zero. One check for the whole range, since a check for each word keeps the
  /// compiler from using vectors; beyond the buffer it traps.
  @inlinable public func sum(from offset: Int, byteCount: Int) -> UInt64 {
    guard byteCount > 0 else { return 0 }
    var at = Self.headroom &+ offset
    precondition(at >= 0 && byteCount <= buffer.byteCount &- at, "sum within the buffer")
    let end = at &+ byteCount
    var sum: UInt64 = 0
    while at &+ 4 <= end {
      unsafe sum &+= UInt64(buffer.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt32.self))
      at &+= 4
    }
    if at &+ 2 <= end {
      unsafe sum &+= UInt64(buffer.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt16.self))
      at &+= 2
    }
    if at < end {
      let last = unsafe buffer.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt8.self)
      sum &+= UInt64(UInt16(last).littleEndian)
    }
    return sum
  }

  /// Copies bytes of another buffer, from an offset there to one here; beyond a buffer it traps.
  @inlinable public mutating func copy(
    _ byteCount: Int, of other: borrowing Frame, from source: Int, to offset: Int
  ) {
    guard byteCount > 0 else { return }
    let (from, to) = (Self.headroom &+ source, Self.headroom &+ offset)
    precondition(from >= 0 && byteCount <= other.buffer.byteCount &- from, "source within the buffer")
    precondition(to >= 0 && byteCount <= buffer.byteCount &- to, "target within the buffer")
    unsafe other.buffer.withUnsafeBytes { bytes in
      let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[from..<(from &+ byteCount)])
      unsafe buffer.withUnsafeMutableBytes { target in
        unsafe UnsafeMutableRawBufferPointer(rebasing: target[to...]).copyMemory(from: source)
      }
    }
  }
}
#endif
