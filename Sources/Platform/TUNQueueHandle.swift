public import Glibc

extension TUNQueue {
  /// A queue by its number: what the packet path holds, since copying it counts no references.
  ///
  /// It means the queue only as long as the queue itself lives; whoever keeps handles sees to that.
  public struct Handle: BitwiseCopyable, Sendable {
    @usableFromInline let raw: CInt

    @usableFromInline init(raw: CInt) { self.raw = raw }

    /// No queue: every read and write fails with EBADF.
    public static var none: Handle { Handle(raw: -1) }

    /// Takes the next packet with its header.
    ///
    /// The corresponding C function is `read`.
    ///
    /// A packet that does not fit is cut off by the kernel without a word: give 64 KiB and the header.
    @inline(always) public func read(into buffer: UnsafeMutableRawBufferPointer) -> TransferResult {
      while true {
        let count = unsafe Glibc.read(raw, buffer.baseAddress, buffer.count)
        if count >= 0 { return .bytes(count) }
        let error = Errno.current
        if error.rawValue == EAGAIN { return .wouldBlock }
        if error.rawValue != EINTR { return .failed(error) }
      }
    }

    /// Gives a header and the packet behind it to the device.
    ///
    /// The corresponding C function is `write`.
    @inline(always) public func write(_ buffer: UnsafeRawBufferPointer) -> TransferResult {
      while true {
        let count = unsafe Glibc.write(raw, buffer.baseAddress, buffer.count)
        if count >= 0 { return .bytes(count) }
        let error = Errno.current
        if error.rawValue == EAGAIN { return .wouldBlock }
        if error.rawValue != EINTR { return .failed(error) }
      }
    }
  }

  /// The queue by its number.
  public var handle: Handle { Handle(raw: descriptor.raw) }
}
