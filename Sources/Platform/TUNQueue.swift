/// One queue of a TUN device: the descriptor through which a worker reads and writes packets.
///
/// What is moved is always a virtio-net header of `TUN.vnetHeaderByteCount` bytes and, right behind it, an IP
/// packet. The descriptor is non-blocking, and keeps its device's namespace wherever it is used.
/// Neither direction allocates or counts references.
public struct TUNQueue: ~Copyable, Sendable {
  /// To be watched in an epoll.
  public let descriptor: FileDescriptor
  /// The device's name in its namespace.
  public let interfaceName: String
  /// The device's index in its namespace.
  public let interfaceIndex: Int32

  init(descriptor: consuming FileDescriptor, interfaceName: String, interfaceIndex: Int32) {
    self.descriptor = descriptor
    self.interfaceName = interfaceName
    self.interfaceIndex = interfaceIndex
  }

  /// Takes the next packet with its header.
  ///
  /// The corresponding C function is `read`.
  ///
  /// A packet that does not fit is cut off by the kernel without a word: give 64 KiB and the header.
  @inline(always) public borrowing func read(into buffer: UnsafeMutableRawBufferPointer) -> TransferResult {
    unsafe handle.read(into: buffer)
  }

  /// Gives a header and the packet behind it to the device.
  ///
  /// The corresponding C function is `write`.
  @inline(always) public borrowing func write(_ buffer: UnsafeRawBufferPointer) -> TransferResult {
    unsafe handle.write(buffer)
  }

  /// Takes the next packet with its header into the beginning of a span.
  @inline(always) public borrowing func read(into span: inout MutableRawSpan) -> TransferResult {
    unsafe span.withUnsafeMutableBytes { buffer in unsafe read(into: buffer) }
  }

  /// Gives a header and the packet behind it, the whole span, to the device.
  @inline(always) public borrowing func write(_ span: borrowing RawSpan) -> TransferResult {
    unsafe span.withUnsafeBytes { buffer in unsafe write(buffer) }
  }
}
