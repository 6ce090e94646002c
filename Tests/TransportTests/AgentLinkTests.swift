import Control
import Synchronization
import Testing
import Transport
import Wire

/// An agent that reports as it must and remembers what it was told.
private final class ScriptedAgent: Sendable {
  let link: ManagerLink
  let events = Mutex<[ManagerLink.Event]>([])
  let health = Mutex<[HealthChange]>([])

  init(_ managers: [ManagerAddress]) {
    link = ManagerLink(managers: managers, security: .plaintext, logger: silent) {
      Hello(node: "host1", roles: [.host], epoch: Epoch(4), revision: Revision(9))
    }
  }

  func run() async {
    await link.run { event in
      self.events.withLock { $0.append(event) }
      if case .connected = event { self.link.report(.health(self.health.withLock { $0 })) }
    }
  }

  var connections: Int {
    events.withLock { $0.count { if case .connected = $0 { true } else { false } } }
  }

  func change(_ number: Int, isHealthy: Bool) {
    let change = HealthChange(
      locator: IPv4Address(number: UInt32(number)), key: EndpointKey(vip: .any, transport: .tcp, port: 80),
      isHealthy: isHealthy, reason: "")
    health.withLock { $0.append(change) }
    link.report(.health([change]))
  }
}

@Suite(.timeLimit(.minutes(2))) struct AgentLinkTests {
  @Test func helloThenUpdatesThenReports() async throws {
    let manager = ScriptedManager()
    let server = try await RunningServer.start(manager)
    let agent = ScriptedAgent([server.address])
    let running = Task { await agent.run() }
    #expect(try await eventually { agent.connections == 1 })
    var random = RandomValues(seed: 3)
    let updates = (0..<50).map { _ in random.update() }
    for update in updates { manager.push(update) }
    let snapshot = Update(epoch: Epoch(1), revision: Revision(1), isSnapshot: true, commands: [])
    let expected = [.connected(server.address)] + ([snapshot] + updates).map(ManagerLink.Event.update)
    #expect(try await eventually { agent.events.withLock { $0.count } == expected.count })
    #expect(agent.events.withLock { $0 } == expected)
    agent.link.report(.acknowledged(Revision(7), Epoch(1)))
    #expect(
      try await eventually {
        manager.state.withLock { $0.reports.contains(.acknowledged(Revision(7), Epoch(1))) }
      })
    #expect(
      manager.state.withLock { $0.hellos }
        == [Hello(node: "host1", roles: [.host], epoch: Epoch(4), revision: Revision(9))])
    running.cancel()
    await running.value
    #expect(try await eventually { manager.state.withLock { $0.detached } == [SessionID(1)] })
    try await server.stop()
  }

  @Test func portsAreAskedForAndRefused() async throws {
    let manager = ScriptedManager()
    let server = try await RunningServer.start(manager)
    let agent = ScriptedAgent([server.address])
    let running = Task { await agent.run() }
    #expect(try await eventually { agent.connections == 1 })
    let locator = IPv4Address(10, 1, 0, 2)
    let range = try #require(PortRange(vip: IPv4Address(203, 0, 113, 10), firstPort: 1024))
    let lease = PortLease(range, to: locator)
    let reports = [Report.portRequest(PortRequest(locator: locator)), .portsReturned([lease])]
    for report in reports { agent.link.report(report) }
    // What is given back may overtake what is asked for.
    #expect(
      try await eventually {
        let heard = manager.state.withLock { $0.reports }
        return heard.count == reports.count && reports.allSatisfy(heard.contains)
      })
    let refusal = PortRefusal(locator: locator, reason: .cap, retryAfterMilliseconds: 500)
    let update = Update(
      epoch: Epoch(1), revision: Revision(1), isSnapshot: false, commands: [.leasePortRange(lease)])
    manager.push(.portRefusal(refusal))
    manager.push(update)
    #expect(try await eventually { agent.events.withLock { $0.count } == 4 })
    #expect(agent.events.withLock { $0.suffix(2) } == [.portRefusal(refusal), .update(update)])
    running.cancel()
    await running.value
    try await server.stop()
  }

  @Test func noHealthIsLostWhileTheManagerRestarts() async throws {
    let manager = ScriptedManager()
    var server = try await RunningServer.start(manager)
    let address = server.address
    let agent = ScriptedAgent([address])
    let running = Task { await agent.run() }
    var expected: [IPv4Address: Bool] = [:]
    var random = RandomValues(seed: 5)
    for round in 1...3 {
      #expect(try await eventually { agent.connections == round })
      for step in 0..<400 {
        let (number, isHealthy) = (random.pick(100), random.flip())
        agent.change(number, isHealthy: isHealthy)
        expected[IPv4Address(number: UInt32(number))] = isHealthy
        if step == 200, round < 3 {
          try await server.stop()
        }
      }
      if round < 3 { server = try await RunningServer.start(manager, port: address.port) }
    }
    #expect(try await eventually { Self.health(at: manager) == expected })
    #expect(manager.state.withLock { $0.hellos.count } == 3)
    running.cancel()
    await running.value
    try await server.stop()
  }

  @Test func aStreamThatTheManagerEndsIsOpenedAgain() async throws {
    let manager = ScriptedManager()
    let server = try await RunningServer.start(manager)
    let agent = ScriptedAgent([server.address])
    let running = Task { await agent.run() }
    for round in 1...3 {
      #expect(try await eventually { agent.connections == round })
      manager.endStream()
    }
    #expect(try await eventually { agent.connections == 4 })
    let ended = agent.events.withLock {
      $0.count { $0 == .disconnected(reason: "the manager ended the stream") }
    }
    #expect(ended == 3)
    running.cancel()
    await running.value
    try await server.stop()
  }

  @Test func anAgentGoesOnToTheNextManagerAndToThePrimary() async throws {
    let primary = ScriptedManager()
    let primaryServer = try await RunningServer.start(primary)
    let replica = ScriptedManager { $0.failure = .notPrimary(address: "\(primaryServer.address)") }
    let replicaServer = try await RunningServer.start(replica)
    let nobody = ManagerAddress(host: "127.0.0.1", port: 1)
    let agent = ScriptedAgent([nobody, replicaServer.address, primaryServer.address])
    let running = Task { await agent.run() }
    #expect(try await eventually { agent.connections == 1 })
    #expect(agent.events.withLock { $0.first } == .connected(primaryServer.address))
    #expect(replica.state.withLock { $0.hellos.count } == 1)
    running.cancel()
    await running.value
    try await replicaServer.stop()
    try await primaryServer.stop()
  }

  @Test func theServerStopsThoughAgentsAreConnected() async throws {
    let manager = ScriptedManager()
    let server = try await RunningServer.start(manager)
    let agents = (0..<5).map { _ in ScriptedAgent([server.address]) }
    let running = agents.map { agent in Task { await agent.run() } }
    #expect(try await eventually { agents.allSatisfy { $0.connections == 1 } })
    try await server.stop()
    #expect(manager.state.withLock { $0.detached.count } == 5)
    for task in running { task.cancel() }
    for task in running { await task.value }
  }

  private static func health(at manager: ScriptedManager) -> [IPv4Address: Bool] {
    manager.state.withLock { state in
      var known: [IPv4Address: Bool] = [:]
      for case .health(let changes) in state.reports {
        for change in changes { known[change.locator] = change.isHealthy }
      }
      return known
    }
  }
}
