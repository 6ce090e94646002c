import Control
import Manager
import SEDA
import Synchronization
import Testing
import Wire

@testable import Management

@Suite("Leased ports at a running manager", .timeLimit(.minutes(10))) struct PortsTests {
  private static let vip = IPv4Address(203, 0, 113, 10)
  private static let author = Identity.anonymous

  private static func locator(_ number: Int) -> IPv4Address { IPv4Address(10, 64, 1, UInt8(number)) }

  private static func resources(machines count: Int) -> [Resource] {
    let names = (1...count).map { "vm\($0)" }
    let machines = names.enumerated().map { index, name in
      Resource.virtualMachine(
        VirtualMachine(
          name: name, network: "v1", dip: IPv4Address(10, 0, 0, UInt8(index + 1)), host: "host1",
          attachment: .networkNamespace(name: name, device: "eth0")))
    }
    let host = Node(
      name: "host1", address: IPv4Address(10, 1, 11, 2), roles: [.host],
      locators: IPv4Prefix(IPv4Address(10, 64, 1, 0), length: 26))
    let service = Service(
      name: "web", vip: vip, endpoints: [], snat: names, snatVIPs: [], snatPortsPerMachine: 64)
    return [Bench.mux(1), .node(host), .virtualNetwork(Bench.virtualNetwork(1)), .service(service)] + machines
  }

  /// An agent that carries out all it is told, until its stream ends.
  private final class Agent: Sendable {
    private let known = Mutex((node: NodeState(), refusals: [PortRefusal]()))
    let session: AgentSession
    private let replica: ManagerReplica

    init(_ name: String, _ role: Role, at replica: ManagerReplica) async throws {
      self.replica = replica
      session = try await replica.attach(
        Hello(node: name, roles: [role], epoch: .none, revision: Revision(0)))
      Task { await self.listen() }
    }

    private func listen() async {
      for await message in session.messages {
        switch message {
        case .update(let update):
          _ = known.withLock { $0.node.apply(update) }
          // What comes after it is heard also while the stages are held up; no update comes before it has its turn.
          Task { await replica.report(.acknowledged(update.revision, update.epoch), from: session.id) }
        case .portRefusal(let refusal): known.withLock { $0.refusals.append(refusal) }
        }
      }
    }

    var node: NodeState { known.withLock { $0.node } }
    var refusals: [PortRefusal] { known.withLock { $0.refusals } }

    func leaseCount(_ locator: IPv4Address) -> Int { node.leases[locator]?.count ?? 0 }

    func ask(_ locator: IPv4Address) async {
      await replica.report(.portRequest(PortRequest(locator: locator)), from: session.id)
    }
  }

  private static func agents(_ replica: ManagerReplica, machines: Int) async throws -> Agent {
    _ = try await replica.perform(.apply(resources(machines: machines)), dryRun: false, by: author)
    _ = try await Agent("mux1", .mux, at: replica)
    let host = try await Agent("host1", .host, at: replica)
    #expect(await eventually { (1...machines).allSatisfy { host.leaseCount(locator($0)) == 1 } })
    return host
  }

  @Test("a host that asks is leased more; an operator calls them back, and is told how many") func recall()
    async throws
  {
    let replica = await Bench.primary()
    let host = try await Self.agents(replica, machines: 1)
    await host.ask(Self.locator(1))
    #expect(await eventually { host.leaseCount(Self.locator(1)) == 2 })
    #expect(try await replica.recall(.vip(Self.vip), by: Self.author) == 2)
    #expect(await eventually { host.node.leases[Self.locator(1)]?.values.allSatisfy { $0 } == true })
    // Once recalled, it stays so.
    #expect(try await replica.recall(.machine("vm1"), by: Self.author) == 0)
    await #expect(throws: ManagementError.refused(reason: "there is no VirtualMachine/vm2")) {
      try await replica.recall(.machine("vm2"), by: Self.author)
    }
    let leases = (host.node.leases[Self.locator(1)] ?? [:]).keys.map { PortLease($0, to: Self.locator(1)) }
    await replica.report(.portsReturned(leases), from: host.session.id)
    #expect(await eventually { host.leaseCount(Self.locator(1)) == 0 })
    #expect(try await replica.state().ports.first?.holdings.isEmpty == true)
    await replica.stop()
    await #expect(throws: ManagementError.notPrimary(address: nil)) {
      try await replica.recall(.vip(Self.vip), by: Self.author)
    }
  }

  @Test("a recall waits until it is durable, and fails when this manager does not lead any more")
  func deposed() async throws {
    let log = MemoryLog()
    let replica = await Bench.primary(log)
    _ = try await Self.agents(replica, machines: 1)
    log.hold()
    let recall = Task { try await replica.recall(.vip(Self.vip), by: Self.author) }
    let isHeld: @Sendable (Entry) -> Bool = { if case .portsRecalled = $0 { true } else { false } }
    #expect(await eventually { log.waiting.contains(where: isHeld) })
    log.depose(to: nil)
    await #expect(throws: ManagementError.self) { try await recall.value }
    await replica.stop()
  }

  @Test("a request that the stage sheds is refused as too much, not forgotten") func shed() async throws {
    let log = MemoryLog()
    let (replica, pool) = Bench.replica(log)
    _ = await eventually { log.entries.count > 0 }
    let host = try await Self.agents(replica, machines: 2)
    let gate = Mutex(false)
    for number in 0..<4 {
      _ = pool.offer(.request(UInt64(1_000_000 + number)), to: .routeManagement, .high, expire: {}) {
        while !gate.withLock({ $0 }) { pause() }
      }
    }
    // One request of each VM may wait; a host that sends the next before gets a refusal, and holds up no other VM.
    for number in [1, 1, 2] { await host.ask(Self.locator(number)) }
    #expect(pool.metrics(of: .snatManagement).length == 2)
    #expect(await eventually { !host.refusals.isEmpty })
    #expect(host.refusals.first?.reason == .overloaded)
    #expect(host.refusals.first?.locator == Self.locator(1))
    #expect((host.refusals.first?.retryAfterMilliseconds ?? 0) > 0)
    gate.withLock { $0 = true }
    // What has waited for 3 s meanwhile is refused as well, and asked for again.
    for number in 1...2 {
      let isServed = { host.leaseCount(Self.locator(number)) >= 2 }
      for _ in 0..<300 where !isServed() {
        await host.ask(Self.locator(number))
        try await Task.sleep(for: .milliseconds(100))
      }
      #expect(isServed())
    }
    await replica.stop()
  }

  @Test("requests of one moment share an entry") func shared() async throws {
    let log = MemoryLog()
    let (replica, pool) = Bench.replica(log)
    _ = await eventually { log.entries.count > 0 }
    let host = try await Self.agents(replica, machines: 40)
    log.hold()
    for number in 1...40 { await host.ask(Self.locator(number)) }
    #expect(await eventually { pool.metrics(of: .snatManagement)[.normal].finished == 40 })
    log.release()
    #expect(await eventually { (1...40).allSatisfy { host.leaseCount(Self.locator($0)) == 2 } })
    let sizes = log.entries.compactMap { entry -> Int? in
      if case .portsRequested(let requests, _) = entry { requests.count } else { nil }
    }
    // Two on their way, and one with all that came meanwhile.
    #expect(sizes == [1, 1, 38])
    await replica.stop()
  }

  @Test("who asks again before the time that a refusal named is not answered twice") func early() async throws
  {
    let replica = await Bench.primary()
    let host = try await Self.agents(replica, machines: 2)
    await host.ask(Self.locator(40))
    #expect(await eventually { !host.refusals.isEmpty })
    for _ in 0..<50 { await host.ask(Self.locator(40)) }
    // Others are served all the same, and when they are, all that was said before has been heard.
    await host.ask(Self.locator(2))
    #expect(await eventually { host.leaseCount(Self.locator(2)) == 2 })
    #expect(host.refusals.map(\.reason) == [.noService])
    await replica.stop()
  }

  @Test("patience ends when its time is over, and has a bound") func patience() throws {
    let now = ContinuousClock.now
    var patience = PortPatience()
    func refusal(_ number: UInt32) -> PortRefusal {
      PortRefusal(
        locator: IPv4Address(number: number), reason: .exhausted, retryAfterMilliseconds: 1000)
    }
    patience.begin(refusal(1), at: now)
    #expect(patience.covers(IPv4Address(number: 1), at: now + .milliseconds(949)))
    #expect(!patience.covers(IPv4Address(number: 1), at: now + .milliseconds(950)))
    #expect(!patience.covers(IPv4Address(number: 2), at: now))
    for number in 2...UInt32(Management.Limits.patientMachines + 1) {
      patience.begin(refusal(number), at: now + .milliseconds(500))
    }
    #expect(
      !patience.covers(
        IPv4Address(number: UInt32(Management.Limits.patientMachines + 1)), at: now + .milliseconds(500)))
    // Whoever is leased ports has a reason to ask for more.
    var leased = patience
    let range = try #require(PortRange(vip: Self.vip, firstPort: 1024))
    leased.end(
      Update(
        epoch: Epoch(1), revision: Revision(1), isSnapshot: false,
        commands: [.leasePortRange(PortLease(range, to: IPv4Address(number: 3)))]))
    #expect(!leased.covers(IPv4Address(number: 3), at: now + .milliseconds(500)))
    #expect(leased.covers(IPv4Address(number: 4), at: now + .milliseconds(500)))
    // Those that are over make room.
    patience.begin(refusal(9_999_999), at: now + .milliseconds(1500))
    let isPatient = patience.covers(IPv4Address(number: 9_999_999), at: now + .milliseconds(1500))
    #expect(isPatient)
  }
}
