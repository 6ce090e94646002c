import CLinux
import Glibc
import Wire

/// A non-blocking TCP connection of a BGP session; closed when its owner lets go.
///
/// All `setsockopt` calls of the speaker are in this file.
struct TCPSocket: ~Copyable {
  /// A system call that failed.
  struct Failure: Error {
    var sentence: String

    init(_ what: String, hint: String = "") {
      sentence = "\(what): \(TCPSocket.text(of: errno))\(hint)"
    }
  }

  /// What a read gave.
  enum ReadResult {
    case octets([UInt8])
    case wouldBlock
    case ended
    case failed(CInt)
  }

  /// What a write gave.
  enum WriteResult {
    case written(Int)
    case wouldBlock
    case failed(CInt)
  }

  private static let kind = CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)

  /// For `poll`.
  let descriptor: CInt

  /// Makes a socket and begins to connect; success or failure shows when it becomes writable.
  ///
  /// `userTimeoutMilliseconds` is TCP_USER_TIMEOUT: how long what we wrote may go unacknowledged.
  init(
    from local: IPv4Address, to peer: NeighborConfiguration, userTimeoutMilliseconds: Int
  ) throws(Failure) {
    descriptor = socket(AF_INET, Self.kind, 0)
    guard descriptor >= 0 else { throw Failure("cannot make a TCP socket") }
    setOptions(userTimeoutMilliseconds: userTimeoutMilliseconds)
    if let password = peer.password { try sign(peer.address, password) }
    guard bind(to: local) else {
      throw Failure("cannot use the local address \(local)", hint: "; is it configured on this node?")
    }
    guard connect(to: peer.address, port: peer.port) || errno == EINPROGRESS else {
      throw Failure("cannot connect to port \(peer.port)")
    }
  }

  deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }

  /// Best effort: without a privilege or on an old kernel the session works, only less well guarded.
  private func setOptions(userTimeoutMilliseconds: Int) {
    _ = set(IPPROTO_TCP, TCP_NODELAY, 1)
    if userTimeoutMilliseconds > 0 { _ = set(IPPROTO_TCP, TCP_USER_TIMEOUT, CInt(userTimeoutMilliseconds)) }
    // CS6, network control (RFC 4594 §3.1). It sets the socket's priority as well, so it goes first.
    _ = set(Int(IPPROTO_IP), IP_TOS, 0xc0)
    // 7 is the highest band of pfifo_fast and needs CAP_NET_ADMIN; 6 does not.
    if !set(Int(SOL_SOCKET), SO_PRIORITY, 7) { _ = set(Int(SOL_SOCKET), SO_PRIORITY, 6) }
  }

  private func set(_ level: Int, _ option: CInt, _ value: CInt) -> Bool {
    var value = value
    return unsafe setsockopt(
      descriptor, CInt(level), option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0
  }

  private func sign(_ peer: IPv4Address, _ password: String) throws(Failure) {
    let key = Array(password.utf8)
    guard unsafe clinux_set_tcp_md5(descriptor, peer.raw, key, key.count) == 0 else {
      throw Failure("cannot set the TCP MD5 password", hint: "; the kernel needs CONFIG_TCP_MD5SIG")
    }
  }

  private func bind(to local: IPv4Address) -> Bool {
    unsafe Self.withSocketAddress(local, port: 0) { address, length in
      unsafe Glibc.bind(descriptor, address, length) == 0
    }
  }

  private func connect(to peer: IPv4Address, port: UInt16) -> Bool {
    unsafe Self.withSocketAddress(peer, port: port) { address, length in
      unsafe Glibc.connect(descriptor, address, length) == 0
    }
  }

  private static func withSocketAddress(
    _ address: IPv4Address, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool
  ) -> Bool {
    var socketAddress = sockaddr_in()
    socketAddress.sin_family = sa_family_t(AF_INET)
    socketAddress.sin_port = port.bigEndian
    socketAddress.sin_addr = in_addr(s_addr: address.raw)
    return unsafe withUnsafePointer(to: socketAddress) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe body(generic, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// The result of the attempt to connect: 0 or an error number.
  func connectResult() -> CInt {
    var code: CInt = 0
    var length = socklen_t(MemoryLayout<CInt>.size)
    guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return errno }
    return code
  }

  /// Reads what is there, up to a limit.
  func read() -> ReadResult {
    var result = ReadResult.wouldBlock
    let octets = unsafe [UInt8](unsafeUninitializedCapacity: Limits.readLength) { buffer, count in
      let got = unsafe recv(descriptor, buffer.baseAddress, buffer.count, 0)
      count = max(got, 0)
      if got == 0 { result = .ended }
      if got < 0, errno != EAGAIN, errno != EINTR { result = .failed(errno) }
    }
    return octets.isEmpty ? result : .octets(octets)
  }

  /// Writes as much as the kernel takes.
  func write(_ octets: ArraySlice<UInt8>) -> WriteResult {
    let written = unsafe octets.withUnsafeBytes { buffer in
      unsafe send(descriptor, buffer.baseAddress, buffer.count, CInt(MSG_NOSIGNAL))
    }
    guard written < 0 else { return .written(written) }
    return errno == EAGAIN || errno == EINTR ? .wouldBlock : .failed(errno)
  }

  /// Says that nothing more will be written; what was written still arrives.
  func finishWriting() { _ = shutdown(descriptor, CInt(SHUT_WR)) }

  /// The system's words for an error number.
  static func text(of code: CInt) -> String {
    var buffer = [CChar](repeating: 0, count: 128)
    guard unsafe strerror_r(code, &buffer, buffer.count) == 0 else { return "error \(code)" }
    return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
