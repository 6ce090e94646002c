import Control
import Synchronization
import Testing

@testable import Transport

/// A peer whose process is stopped: its kernel takes what comes, and nobody answers.
@Suite(.timeLimit(.minutes(2))) struct SilenceTests {
  @Test(arguments: [false, true]) func agentsLeaveAManagerThatIsStopped(isProtected: Bool) async throws {
    let pki = try TestPKI()
    let managers = [ScriptedManager(), ScriptedManager()]
    let security: TransportSecurity = isProtected ? try pki.manager() : .plaintext
    let servers = [
      try await RunningServer.start(managers[0], security: security),
      try await RunningServer.start(managers[1], security: security),
    ]
    let proxy = try FreezingProxy(to: servers[0].address)
    let link = ManagerLink(
      managers: [proxy.address, servers[1].address],
      security: isProtected ? try pki.issue(.node("host1", roles: [.host]), as: "host1") : .plaintext,
      logger: silent
    ) { Hello(node: "host1", roles: [.host], epoch: .none, revision: Revision(0)) }
    let found = Mutex<[ManagerAddress]>([])
    let running = Task {
      await link.run { event in
        if case .connected(let address) = event { found.withLock { $0.append(address) } }
      }
    }
    #expect(try await eventually { found.withLock { $0 } == [proxy.address] })
    // Nothing is said for longer than silence may last, and pings keep the connection.
    try await Task.sleep(for: Limits.silence + .seconds(1))
    #expect(found.withLock { $0.count } == 1 && proxy.count == 1)
    proxy.freeze()
    #expect(try await eventually { found.withLock { $0.last } == servers[1].address })
    // The manager notices, too, that the agent is gone.
    #expect(try await eventually { managers[0].state.withLock { $0.detached }.contains(SessionID(1)) })
    running.cancel()
    _ = await running.result
    proxy.stop()
    for server in servers { try await server.stop() }
  }
}
