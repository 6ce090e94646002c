import Glibc
import Platform
import Testing
import Wire

@Suite(.enabled(if: isRoot, "needs root")) struct TCPConnectionTests {
  private let loopback = IPv4Address(127, 0, 0, 1)

  @Test func aListenerIsReachedFromTheProbeSource() throws {
    let test = try TestNamespace()
    let source = IPv4Address(169, 254, 169, 1)
    let netlink = try Netlink.open(in: test.namespace)
    try netlink.setUp(true, link: "lo")
    try netlink.addAddress(source, link: "lo")
    let listener = try Socket.listen(port: 80, in: test.namespace)
    let connection = try TCPConnection.connectNonBlocking(
      to: loopback, port: 80, from: source, in: test.namespace)
    let progress = try Self.outcome(connection)
    #expect(progress == .established)
    let request = Array("GET / HTTP/1.0\r\n\r\n".utf8)
    guard case .bytes(request.count) = unsafe connection.write(request.span.bytes) else {
      Issue.record("a request fits")
      return
    }
    let peer = listener.accept()
    let received = peer.drain()
    #expect(received == request.count)
  }

  @Test func aClosedPortFails() throws {
    let test = try TestNamespace()
    let netlink = try Netlink.open(in: test.namespace)
    try netlink.setUp(true, link: "lo")
    let connection = try TCPConnection.connectNonBlocking(to: loopback, port: 81, in: test.namespace)
    let progress = try Self.outcome(connection)
    #expect(progress == .failed(Errno(rawValue: ECONNREFUSED)))
  }

  @Test func aHandshakeWithoutAnswerIsPending() throws {
    let test = try TestNamespace()
    let device = try TenantDevice(address: IPv4Address(10, 9, 0, 1)).open(in: test.namespace)
    let connection = try TCPConnection.connectNonBlocking(
      to: IPv4Address(10, 9, 0, 2), port: 80, device: "eth0", in: test.namespace)
    let progress = connection.progress()
    let queues = device.queueCount
    #expect(progress == .pending)
    #expect(queues == 1)
  }

  @Test func aSourceOfAnotherNodeIsRefused() throws {
    let test = try TestNamespace()
    let netlink = try Netlink.open(in: test.namespace)
    try netlink.setUp(true, link: "lo")
    let source = IPv4Address(169, 254, 169, 1)
    do throws(PlatformError) {
      _ = try TCPConnection.connectNonBlocking(to: loopback, port: 80, from: source, in: test.namespace)
      Issue.record("the address is not of this namespace")
    } catch {
      #expect(error.errno.name == "EADDRNOTAVAIL")
      #expect("\(error)".contains("169.254.169.1"))
    }
  }

  /// What becomes of a handshake.
  private static func outcome(_ connection: borrowing TCPConnection) throws -> TCPConnection.Progress {
    var epoll = try Epoll()
    try epoll.add(connection.descriptor, tag: 0, interest: .writable)
    _ = try epoll.wait(timeoutMilliseconds: 5000)
    return connection.progress()
  }
}
