#if KERNEL
/// A packet in the kernel's memory, between two pointers: `Frame` as eBPF programs have it.
///
/// ```
///  start - 20      start                                 end
///  |<- outer ->|<------- packet, linear part ------->|
/// ```
/// The verifier follows pointers, not lengths: before bytes are touched, `holds` has compared `start` plus a constant
/// with `end`. After a helper that may move the packet a frame is of no use; the entry point makes another.
@safe public struct Frame: ~Copyable {
  let start: UnsafeMutableRawPointer
  let end: UnsafeMutableRawPointer
  /// The length of the packet, of which the pointers may enclose the first part only.
  public let byteCount: Int

  /// Takes the place of the packet's IPv4 header and the end of what may be touched.
  @inline(__always) public init(
    start: UnsafeMutableRawPointer, end: UnsafeMutableRawPointer, byteCount: Int
  ) {
    unsafe self.start = unsafe start
    unsafe self.end = unsafe end
    self.byteCount = byteCount
  }

  /// Whether this many bytes, a constant, may be touched.
  @inline(__always) public func holds(_ count: Int) -> Bool { unsafe start + count <= end }

  /// The value that lies at an offset, as it lies in memory.
  @inline(__always) public func load<Value: BitwiseCopyable>(_ offset: Int, as _: Value.Type) -> Value {
    unsafe start.load(fromByteOffset: offset, as: Value.self)
  }

  /// Lays a value down at an offset, as it lies in memory.
  ///
  /// As one store, which `storeBytes` is not: it allows for any alignment, and eBPF then gets a store for each byte.
  @inline(__always) public mutating func store<Value: BitwiseCopyable>(_ value: Value, at offset: Int) {
    unsafe (start + offset).assumingMemoryBound(to: Value.self).pointee = value
  }

  /// A 16-bit number in network byte order.
  @inline(__always) public func load16(_ offset: Int) -> UInt16 {
    UInt16(bigEndian: load(offset, as: UInt16.self))
  }

  /// A 32-bit number in network byte order.
  @inline(__always) public func load32(_ offset: Int) -> UInt32 {
    UInt32(bigEndian: load(offset, as: UInt32.self))
  }

  /// Lays a 16-bit number down in network byte order.
  @inline(__always) public mutating func store16(_ value: UInt16, at offset: Int) {
    store(value.bigEndian, at: offset)
  }

  /// Lays a 32-bit number down in network byte order.
  @inline(__always) public mutating func store32(_ value: UInt32, at offset: Int) {
    store(value.bigEndian, at: offset)
  }
}
#endif
