import Control
import Synchronization
import Testing
import Transport
import Wire

@Suite(.timeLimit(.minutes(2))) struct OperatorTests {
  @Test func operationsArriveWholeAndOutcomesComeBack() async throws {
    var random = RandomValues(seed: 7)
    let outcome = random.outcome()
    let operations = (0..<20).map { _ in random.operation() }
    let manager = ScriptedManager { $0.outcome = outcome }
    let server = try await RunningServer.start(manager)
    for operation in operations {
      let answer = try await server.client().perform(operation, dryRun: true)
      #expect(answer == outcome)
    }
    #expect(manager.state.withLock { $0.operations } == operations)
    #expect(manager.state.withLock { $0.dryRuns } == operations.count)
    try await server.stop()
  }

  @Test func theStateComesWhole() async throws {
    let state = RandomValues.large()
    let server = try await RunningServer.start(ScriptedManager { $0.cluster = state })
    let answer = try await server.client().state()
    #expect(answer == state)
    try await server.stop()
  }

  @Test func recordsAndManagersComeWhole() async throws {
    var random = RandomValues(seed: 13)
    let records = (0..<1000).map { _ in random.auditRecord() }
    let group = random.managerGroup()
    let manager = ScriptedManager {
      $0.records = records
      $0.group = group
    }
    let server = try await RunningServer.start(manager)
    #expect(try await server.client().auditRecords() == records)
    #expect(try await server.client().managers() == group)
    for change in [ManagerChange.add("m4"), .remove("m1"), .transfer(to: "m2")] {
      try await server.client().change(change)
    }
    #expect(manager.state.withLock { $0.changes } == [.add("m4"), .remove("m1"), .transfer(to: "m2")])
    #expect(manager.state.withLock { $0.identities } == [.anonymous, .anonymous, .anonymous])
    try await server.stop()
  }

  @Test func recallsComeWholeAndAreCounted() async throws {
    let manager = ScriptedManager()
    let server = try await RunningServer.start(manager)
    let range = try #require(PortRange(vip: IPv4Address(203, 0, 113, 10), firstPort: 1024))
    let recalls = [PortRecall.machine("web-1"), .range(range), .vip(range.vip)]
    for (place, recall) in recalls.enumerated() {
      #expect(try await server.client().recall(recall) == place + 1)
    }
    #expect(manager.state.withLock { $0.recalls } == recalls)
    #expect(manager.state.withLock { $0.identities } == [.anonymous, .anonymous, .anonymous])
    try await server.stop()
  }

  @Test(arguments: [
    ManagementError.overloaded(reason: "too many", retryAfterMilliseconds: 250), .unavailable(reason: "disk"),
    .uncertain(reason: "deposed"), .refused(reason: "no"), .forbidden(reason: "not you"),
    .notPrimary(address: nil),
  ]) func errorsOfTheManagerKeepTheirCase(error: ManagementError) async throws {
    let server = try await RunningServer.start(ScriptedManager { $0.failure = error })
    let client = server.client()
    await #expect(throws: ManagementClientError.manager(error)) {
      try await client.perform(.delete([]), dryRun: false)
    }
    await #expect(throws: ManagementClientError.manager(error)) { try await client.state() }
    await #expect(throws: ManagementClientError.manager(error)) { try await client.auditRecords() }
    await #expect(throws: ManagementClientError.manager(error)) { try await client.change(.add("m3")) }
    await #expect(throws: ManagementClientError.manager(error)) { try await client.recall(.vip(.any)) }
    await #expect(throws: ManagementClientError.manager(error)) {
      try await client.wait(for: Revision(3), limit: .seconds(30)) { _ in }
    }
    try await server.stop()
  }

  @Test func aReplicaSendsTheOperatorToThePrimary() async throws {
    let primary = try await RunningServer.start(ScriptedManager { $0.outcome.revision = Revision(42) })
    let other = try await RunningServer.start(
      ScriptedManager { $0.failure = .notPrimary(address: "\(primary.address)") })
    let outcome = try await other.client().perform(.apply([]), dryRun: false)
    #expect(outcome.revision == Revision(42))
    try await other.stop()
    try await primary.stop()
  }

  @Test func anUnreachableManagerIsPassedOver() async throws {
    let server = try await RunningServer.start(ScriptedManager { $0.outcome.revision = Revision(5) })
    let nobody = ManagerAddress(host: "127.0.0.1", port: 1)
    let client = ManagementClient(
      managers: [nobody, server.address], security: .plaintext, timeout: .seconds(30))
    #expect(try await client.perform(.apply([]), dryRun: false).revision == Revision(5))
    let lost = ManagementClient(managers: [nobody], security: .plaintext, timeout: .seconds(30))
    await #expect(throws: ManagementClientError.unreachable([nobody: "connection refused"])) {
      try await lost.state()
    }
    try await server.stop()
  }

  @Test func waitFollowsToTheEnd() async throws {
    let progress = [
      WaitProgress(revision: Revision(3), acknowledged: [], pending: ["a", "b"]),
      WaitProgress(revision: Revision(3), acknowledged: ["a"], pending: ["b"]),
      WaitProgress(revision: Revision(3), acknowledged: ["a", "b"], pending: []),
    ]
    let server = try await RunningServer.start(ScriptedManager { $0.progress = progress })
    let seen = Mutex<[WaitProgress]>([])
    try await server.client().wait(for: Revision(3), limit: .seconds(30)) { one in
      seen.withLock { $0.append(one) }
    }
    #expect(seen.withLock { $0 } == progress)
    try await server.stop()
  }

  /// As if it had been deposed: whoever waits is to ask the next.
  @Test func aWaitThatIsBrokenOffIsSaidSo() async throws {
    let progress = [WaitProgress(revision: Revision(3), acknowledged: [], pending: ["a"])]
    let server = try await RunningServer.start(ScriptedManager { $0.progress = progress })
    await #expect(throws: ManagementClientError.manager(.notPrimary(address: nil))) {
      try await server.client().wait(for: Revision(3), limit: .seconds(30)) { _ in }
    }
    try await server.stop()
  }

  @Test func aWaitEndsOnBothSides() async throws {
    let manager = ScriptedManager {
      $0.progress = [WaitProgress(revision: Revision(3), acknowledged: [], pending: ["a"])]
      $0.isProgressEndless = true
    }
    let server = try await RunningServer.start(manager)
    await #expect(throws: ManagementClientError.timedOut) {
      try await server.client().wait(for: Revision(3), limit: .milliseconds(300)) { _ in }
    }
    let before = manager.state.withLock { $0.waitsEnded }
    let hasBegun = Mutex(false)
    let waiting = Task {
      try await server.client().wait(for: Revision(3), limit: .seconds(60)) { _ in
        hasBegun.withLock { $0 = true }
      }
    }
    #expect(try await eventually { hasBegun.withLock { $0 } })
    waiting.cancel()
    #expect(try await eventually { manager.state.withLock { $0.waitsEnded } > before })
    await #expect(throws: ManagementClientError.self) { try await waiting.value }
    try await server.stop()
  }

  @Test func aPortInUseIsSaidSo() async throws {
    let server = try await RunningServer.start(ScriptedManager())
    let second = try ManagementServer(
      service: ScriptedManager(), listen: server.address, security: .plaintext, logger: silent)
    let error = await #expect(throws: ManagementServerError.self) { try await second.run() }
    #expect(
      error?.description.contains("another process uses the port") == true, "\(String(describing: error))")
    try await server.stop()
  }
}

extension RandomValues {
  /// More than gRPC's default limit of 4 MiB.
  static func large() -> ClusterState {
    var random = RandomValues(seed: 11)
    var state = random.state()
    state.machines = (0..<60_000).map { index in
      var machine = random.machine()
      machine.name = "a-virtual-machine-with-a-rather-long-name-\(index)"
      return MachineStatus(machine: machine, locator: random.address())
    }
    return state
  }
}
