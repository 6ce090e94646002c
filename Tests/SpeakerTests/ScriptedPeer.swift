import BGP
import Glibc
import Wire

/// A peer on the loopback interface that says what a test wants.
final class ScriptedPeer {
  let port: UInt16
  private let listener: CInt
  private var connection: CInt = -1

  init() throws {
    listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr = in_addr(s_addr: IPv4Address(127, 0, 0, 1).raw)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    let isListening = unsafe withUnsafeMutablePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
        unsafe bind(descriptor, generic, length) == 0 && listen(descriptor, 4) == 0
          && getsockname(descriptor, generic, &length) == 0
      }
    }
    guard isListening else { throw Command.Failure(description: "cannot listen on 127.0.0.1: \(errno)") }
    port = UInt16(bigEndian: address.sin_port)
    setTimeout(listener)
  }

  deinit {
    hangUp()
    close(listener)
  }

  /// Five seconds for everything, so that a test fails rather than hangs.
  private func setTimeout(_ descriptor: CInt) {
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    _ = unsafe setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  func accept() throws {
    connection = Glibc.accept(listener, nil, nil)
    guard connection >= 0 else { throw Command.Failure(description: "nobody connected") }
    setTimeout(connection)
  }

  func hangUp() {
    if connection >= 0 { close(connection) }
    connection = -1
  }

  func send(_ octets: [UInt8]) {
    let sent = unsafe Glibc.send(connection, octets, octets.count, CInt(MSG_NOSIGNAL))
    precondition(sent == octets.count, "short write on loopback")
  }

  func send(_ message: Message) { send(message.octets(fourOctetAS: true)) }

  /// The next message, octet by octet off the stream.
  func read() throws -> Message {
    var framer = Framer()
    while true {
      var octet: UInt8 = 0
      guard unsafe recv(connection, &octet, 1, 0) == 1 else {
        throw Command.Failure(description: "the connection ended before a message: error \(errno)")
      }
      var input = [octet][...]
      guard let raw = try framer.next(from: &input) else { continue }
      return try Message.decode(raw, rules: UpdateRules(fourOctetAS: true, isInternal: false)).message
    }
  }

  /// Whether nothing comes, and the connection stays, for some seconds.
  func isSilent(seconds: Int) -> Bool {
    var watched = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&watched, 1, CInt(seconds * 1000)) == 0
  }

  /// Whether the other side has closed in order, with nothing left to read.
  func isAtEnd() -> Bool {
    var octet: UInt8 = 0
    return unsafe recv(connection, &octet, 1, 0) == 0
  }
}
