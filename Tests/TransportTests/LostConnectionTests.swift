import Control
import Glibc
import Synchronization
import Testing
import Transport

/// What an operator hears of managers that go away, or do not answer.
@Suite(.timeLimit(.minutes(2))) struct LostConnectionTests {
  /// A port that takes connections and says nothing, as that of a stopped process.
  private struct FrozenManager: ~Copyable {
    let address: ManagerAddress
    private let descriptor: Int32

    init() throws {
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let descriptor = descriptor
      let isBound = unsafe withUnsafeMutablePointer(to: &name) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          unsafe bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
        }
      }
      try #require(isBound && listen(descriptor, 16) == 0)
      address = ManagerAddress(host: "127.0.0.1", port: UInt16(bigEndian: name.sin_port))
    }

    deinit { close(descriptor) }
  }

  @Test(arguments: [false, true]) func aFrozenManagerIsPassedOver(isProtected: Bool) async throws {
    let pki = try TestPKI()
    let (security, served) =
      isProtected ? (try pki.administrator(), try pki.manager()) : (.plaintext, .plaintext)
    let frozen = try FrozenManager()
    let server = try await RunningServer.start(
      ScriptedManager { $0.outcome.revision = Revision(5) }, security: served)
    let client = ManagementClient(
      managers: [frozen.address, server.address], security: security, timeout: .seconds(60))
    let began = ContinuousClock.now
    #expect(try await client.perform(.apply([]), dryRun: false).revision == Revision(5))
    // Long before the request's own time is over.
    #expect(ContinuousClock.now - began < .seconds(30))
    try await server.stop()
  }

  @Test func whoseConnectionIsLostDoesNotKnow() async throws {
    let service = ScriptedManager { $0.isPerformEndless = true }
    let server = try await RunningServer.start(service)
    let other = ScriptedManager()
    let next = try await RunningServer.start(other)
    let client = ManagementClient(
      managers: [server.address, next.address], security: .plaintext, timeout: .seconds(60))
    let asking = Task { () -> ManagementClientError? in
      do throws(ManagementClientError) {
        _ = try await client.perform(.apply([]), dryRun: false)
        return nil
      } catch {
        return error
      }
    }
    #expect(try await eventually { service.state.withLock { $0.operations.count } == 1 })
    try await server.stop()
    let error = await asking.value
    guard case .manager(.uncertain(let reason)) = error else {
      Issue.record("a change that may have been made was said to be \(String(describing: error))")
      return
    }
    #expect(reason.contains("\(server.address)"))
    // Nobody else was asked to make it once more.
    #expect(other.state.withLock { $0.operations.count } == 0)
    try await next.stop()
  }

  @Test func whoOnlyLooksAsksTheNext() async throws {
    let service = ScriptedManager { $0.isPerformEndless = true }
    let server = try await RunningServer.start(service)
    let next = try await RunningServer.start(ScriptedManager { $0.outcome.revision = Revision(9) })
    let client = ManagementClient(
      managers: [server.address, next.address], security: .plaintext, timeout: .seconds(60))
    let asking = Task { try await client.perform(.apply([]), dryRun: true) }
    #expect(try await eventually { service.state.withLock { $0.operations.count } == 1 })
    try await server.stop()
    #expect(try await asking.value.revision == Revision(9))
    try await next.stop()
  }

  @Test func aStandingConnectionIsMadeAnew() async throws {
    let server = try await RunningServer.start(ScriptedManager { $0.outcome.revision = Revision(5) })
    let client = ManagementClient(
      managers: [server.address], security: .plaintext, timeout: .seconds(60), keepsConnections: true)
    for _ in 0..<3 { #expect(try await client.perform(.apply([]), dryRun: false).revision == Revision(5)) }
    try await server.stop()
    await #expect(throws: ManagementClientError.self) { try await client.perform(.apply([]), dryRun: false) }
    let again = try await RunningServer.start(
      ScriptedManager { $0.outcome.revision = Revision(6) }, port: server.address.port)
    var last: Revision?
    for _ in 0..<100 where last == nil {
      last = try? await client.perform(.apply([]), dryRun: false).revision
      if last == nil { try await Task.sleep(for: .milliseconds(50)) }
    }
    #expect(last == Revision(6))
    try await again.stop()
  }
}
