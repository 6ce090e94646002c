import Control
import Glibc
import Testing

@testable import Transport

/// Who connects to a server and never shows who it is.
@Suite(.timeLimit(.minutes(2))) struct HandshakeTests {
  /// A connection that says only what it is told to.
  private struct Stranger: ~Copyable {
    private let descriptor: Int32

    init(to server: ManagerAddress) throws {
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      name.sin_port = server.port.bigEndian
      let descriptor = descriptor
      let isConnected = unsafe withUnsafePointer(to: &name) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          unsafe connect(descriptor, address, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
      }
      try #require(isConnected)
    }

    deinit { close(descriptor) }

    func say(_ octets: [UInt8]) {
      for octet in octets {
        var octet = octet
        _ = unsafe send(descriptor, &octet, 1, Int32(MSG_NOSIGNAL))
      }
    }

    /// Whether the server has ended the connection.
    func isEnded() -> Bool {
      var octet: UInt8 = 0
      let count = unsafe recv(descriptor, &octet, 1, Int32(MSG_DONTWAIT))
      return count == 0 || (count < 0 && errno == ECONNRESET)
    }
  }

  @Test(arguments: [[], [0x16, 0x03, 0x01, 0x3f, 0x00] as [UInt8]])
  func whoShowsNoCertificateHoldsNoConnection(said: [UInt8]) async throws {
    let pki = try TestPKI()
    let server = try await RunningServer.start(ScriptedManager(), security: pki.manager())
    let client = ManagementClient(
      managers: [server.address], security: try pki.administrator(), timeout: .seconds(30),
      keepsConnections: true)
    _ = try await client.state()
    let stranger = try Stranger(to: server.address)
    stranger.say(said)
    #expect(
      try await eventually {
        // One octet of the handshake after the other, so that it is never silent.
        if !said.isEmpty { stranger.say([1]) }
        return stranger.isEnded()
      })
    // The operator's own connection is older, and was left alone.
    #expect(server.refusals("handshake") == 1)
    _ = try await client.state()
    try await server.stop()
  }
}
