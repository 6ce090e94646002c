import Glibc
import Wire

/// Why a socket call failed.
struct SocketError: Error, Hashable, CustomStringConvertible {
  /// The call.
  let call: String
  /// Its errno.
  let number: Int32

  /// `connect: Connection refused`.
  var description: String { "\(call): \(unsafe String(cString: strerror(number)))" }
}

/// A non-blocking socket; closes its descriptor when the last owner lets go.
final class Socket {
  /// What a receive call found.
  enum Received: Equatable {
    case bytes([UInt8])
    case nothingYet
    case end
  }

  /// The descriptor.
  let descriptor: Int32

  private init(owning descriptor: Int32) { self.descriptor = descriptor }

  deinit { _ = Glibc.close(descriptor) }

  /// Begins a TCP connection; it is up once the descriptor is writable and `pendingError` is nil.
  ///
  /// `localPort` 0 lets the kernel choose.
  static func connecting(
    to address: IPv4Address, port: UInt16, localPort: UInt16 = 0
  ) throws(SocketError) -> Socket {
    let socket = try make(SOCK_STREAM)
    if localPort != 0 { try socket.bind(port: localPort) }
    var name = Self.name(address, port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(socket.descriptor, $0, size)
      }
    }
    guard status == 0 || errno == EINPROGRESS else { throw SocketError(call: "connect", number: errno) }
    return socket
  }

  /// A UDP socket that talks to one address.
  static func datagram(to address: IPv4Address, port: UInt16) throws(SocketError) -> Socket {
    let socket = try make(SOCK_DGRAM)
    var name = Self.name(address, port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(socket.descriptor, $0, size)
      }
    }
    guard status == 0 else { throw SocketError(call: "connect", number: errno) }
    return socket
  }

  /// A UDP socket that hears everybody on a port.
  static func datagramServer(port: UInt16) throws(SocketError) -> Socket {
    let socket = try make(SOCK_DGRAM)
    try socket.bind(port: port)
    return socket
  }

  private static func make(_ type: __socket_type) throws(SocketError) -> Socket {
    let flags = Int32(type.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_INET, flags, 0)
    guard descriptor >= 0 else { throw SocketError(call: "socket", number: errno) }
    return Socket(owning: descriptor)
  }

  private static func name(_ address: IPv4Address, _ port: UInt16) -> sockaddr_in {
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_port = port.bigEndian
    name.sin_addr.s_addr = address.raw
    return name
  }

  private func bind(port: UInt16) throws(SocketError) {
    var on: Int32 = 1
    _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    var name = Self.name(.any, port)
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = unsafe withUnsafePointer(to: &name) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.bind(descriptor, $0, size)
      }
    }
    guard status == 0 else { throw SocketError(call: "bind", number: errno) }
  }

  /// What has become of the connection: nil if nothing bad.
  var pendingError: SocketError? {
    var number: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    let status = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size)
    if status != 0 { return SocketError(call: "getsockopt", number: errno) }
    return number == 0 ? nil : SocketError(call: "connect", number: number)
  }

  /// Sends bytes that surely fit the send buffer, as a request or a datagram does.
  func send(_ bytes: [UInt8]) throws(SocketError) {
    let count = unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    guard count == bytes.count else { throw SocketError(call: "send", number: count < 0 ? errno : EMSGSIZE) }
  }

  /// Takes what has arrived, at most `limit` bytes.
  func receive(upTo limit: Int = 4096) throws(SocketError) -> Received {
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = unsafe recv(descriptor, &bytes, limit, 0)
    if count > 0 { return .bytes(Array(bytes[..<count])) }
    if count == 0 { return .end }
    guard errno == EAGAIN else { throw SocketError(call: "receive", number: errno) }
    return .nothingYet
  }

  /// Answers the next datagram's sender with `answer`; false if none has arrived.
  func answerDatagram(_ answer: [UInt8]) -> Bool {
    var sender = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    var bytes = [UInt8](repeating: 0, count: 2048)
    return unsafe withUnsafeMutablePointer(to: &sender) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
        guard unsafe recvfrom(descriptor, &bytes, bytes.count, 0, name, &size) >= 0 else { return false }
        _ = unsafe sendto(descriptor, answer, answer.count, 0, name, size)
        return true
      }
    }
  }
}
