public import Glibc

extension PacketSocket {
  /// A packet socket by its number: what the packet path holds, since copying it counts no references.
  ///
  /// It means the socket only as long as the socket itself lives; whoever keeps handles sees to that.
  public struct Handle: BitwiseCopyable, Sendable {
    @usableFromInline let raw: CInt

    @usableFromInline init(raw: CInt) { self.raw = raw }

    /// No socket: every read fails with EBADF.
    public static var none: Handle { Handle(raw: -1) }

    /// Takes the next packet with its two headers.
    ///
    /// The corresponding C function is `recv`.
    ///
    /// EMSGSIZE: the packet did not fit; EINVAL: the kernel cannot describe it; either way it is lost. ENETDOWN: the
    /// device went down, said once.
    @inline(always) public func read(into buffer: UnsafeMutableRawBufferPointer) -> TransferResult {
      while true {
        let count = unsafe recv(raw, buffer.baseAddress, buffer.count, CInt(MSG_TRUNC))
        if count > buffer.count { return .failed(Errno(rawValue: EMSGSIZE)) }
        if count >= 0 { return .bytes(count) }
        let error = Errno.current
        if error.rawValue == EAGAIN { return .wouldBlock }
        if error.rawValue != EINTR { return .failed(error) }
      }
    }

    /// Sends a packet with its two headers.
    ///
    /// The corresponding C function is `send`.
    ///
    /// EMSGSIZE: it is longer than the device takes in one piece; EINVAL: its virtio-net header makes no
    /// sense, or the kernel does not know such super-packets. It would block when too many have not been
    /// received yet.
    @inline(always) public func write(_ buffer: UnsafeRawBufferPointer) -> TransferResult {
      while true {
        let count = unsafe send(raw, buffer.baseAddress, buffer.count, 0)
        if count >= 0 { return .bytes(count) }
        let error = Errno.current
        if error.rawValue == EAGAIN || error.rawValue == ENOBUFS { return .wouldBlock }
        if error.rawValue != EINTR { return .failed(error) }
      }
    }
  }

  /// The socket by its number.
  public var handle: Handle { Handle(raw: descriptor.raw) }
}
