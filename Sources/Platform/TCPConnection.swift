internal import Glibc
public import Wire

/// A TCP connection whose calls never wait, as health probes need many of them at once.
public struct TCPConnection: ~Copyable, Sendable {
  /// How far the opening has come.
  public enum Progress: Hashable, Sendable {
    /// Established: the descriptor became writable and there is no error.
    case established
    /// The handshake is still going on; wait until the descriptor is writable.
    case pending
    /// Refused, timed out or unreachable.
    case failed(Errno)
  }

  /// To be watched for writing until established, for reading afterwards.
  public let descriptor: FileDescriptor

  /// Begins to connect, in the calling thread's namespace.
  ///
  /// `source` is an address of this namespace: a probe's 169.254.169.1 has to lie on one of its devices
  /// first. `device` keeps the connection to one device (SO_BINDTODEVICE). Throws only when the socket cannot
  /// be made or bound; what becomes of the handshake, `progress` says.
  public static func connectNonBlocking(
    to address: IPv4Address, port: UInt16, from source: IPv4Address? = nil, device: String? = nil
  ) throws(PlatformError) -> TCPConnection {
    let label = "\(address):\(port)"
    let raw = socket(
      AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard raw >= 0 else { throw PlatformError("open a socket to", label, .current) }
    let connection = TCPConnection(descriptor: FileDescriptor(owning: raw))
    if let device {
      let code = unsafe setsockopt(raw, SOL_SOCKET, SO_BINDTODEVICE, device, socklen_t(device.utf8.count))
      guard code == 0 else { throw PlatformError("bind a socket to device", device, .current) }
    }
    if let source {
      let code = unsafe withAddress(source, 0) { pointer, size in unsafe bind(raw, pointer, size) }
      guard code == 0 else {
        throw PlatformError(
          "connect from", "\(source) to \(label)", .current,
          advice: "Give the address to a device of the same namespace.")
      }
    }
    let code = unsafe withAddress(address, port) { pointer, size in unsafe connect(raw, pointer, size) }
    guard code != 0 else { return connection }
    let error = Errno.current
    if error.rawValue == EINPROGRESS || error.rawValue == ECONNREFUSED { return connection }
    throw PlatformError("connect to", label, error)
  }

  /// Begins to connect inside a namespace; the connection is used from the caller's.
  public static func connectNonBlocking(
    to address: IPv4Address, port: UInt16, from source: IPv4Address? = nil, device: String? = nil,
    in namespace: borrowing NetworkNamespace
  ) throws(PlatformError) -> TCPConnection {
    try namespace.run { () throws(PlatformError) in
      try connectNonBlocking(
        to: address, port: port, from: source, device: device)
    }
  }

  /// How far the handshake has come.
  ///
  /// The corresponding C functions are `poll` and `getsockopt(SO_ERROR)`.
  public borrowing func progress() -> Progress {
    var watched = pollfd(fd: descriptor.raw, events: Int16(POLLOUT), revents: 0)
    guard unsafe poll(&watched, 1, 0) > 0 else { return .pending }
    var code: CInt = 0
    var size = socklen_t(MemoryLayout<CInt>.size)
    guard unsafe getsockopt(descriptor.raw, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else {
      return .failed(.current)
    }
    if code != 0 { return .failed(Errno(rawValue: code)) }
    return Int32(watched.revents) & POLLHUP == 0 ? .established : .failed(Errno(rawValue: ECONNREFUSED))
  }

  /// Reads what has come; 0 bytes when the other side has closed.
  public borrowing func read(into span: inout MutableRawSpan) -> TransferResult {
    let raw = descriptor.raw
    return unsafe span.withUnsafeMutableBytes { buffer in
      Self.result(unsafe recv(raw, buffer.baseAddress, buffer.count, 0))
    }
  }

  /// Sends as much as fits.
  public borrowing func write(_ span: borrowing RawSpan) -> TransferResult {
    let raw = descriptor.raw
    return unsafe span.withUnsafeBytes { buffer in
      Self.result(unsafe send(raw, buffer.baseAddress, buffer.count, CInt(MSG_NOSIGNAL)))
    }
  }

  private static func result(_ count: Int) -> TransferResult {
    guard count < 0 else { return .bytes(count) }
    let error = Errno.current
    return error.rawValue == EAGAIN || error.rawValue == EINTR ? .wouldBlock : .failed(error)
  }

  private static func withAddress(
    _ address: IPv4Address, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt
  ) -> CInt {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr = in_addr(s_addr: address.raw)
    let size = MemoryLayout<sockaddr_in>.size
    return unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe body($0, socklen_t(size)) }
    }
  }
}
