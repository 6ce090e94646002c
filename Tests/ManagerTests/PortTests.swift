import Control
import Manager
import Testing
import Wire

/// Leased ports, step by step.
@Suite("Leased ports") struct PortTests {
  static let author = Author(name: "alice", at: 1_000)
  static let vip = ip("203.0.113.10")
  static let locator = ip("10.64.1.1")

  static func range(_ port: UInt16, _ vip: IPv4Address = vip) -> PortRange {
    guard let range = PortRange(vip: vip, firstPort: port) else { preconditionFailure("no range") }
    return range
  }

  static func lease(_ port: UInt16, _ locator: IPv4Address = locator) -> PortLease {
    PortLease(range(port), to: locator)
  }

  static func service(
    _ snat: [String] = ["vm1"], ports: Int = 64, _ change: (inout Service) -> Void = { _ in }
  )
    -> Resource
  {
    var service = Service(name: "web", vip: vip, endpoints: [], snat: snat, snatPortsPerMachine: ports)
    change(&service)
    return .service(service)
  }

  static func machine(_ name: String, host: String = "host1") -> Resource {
    .virtualMachine(
      VirtualMachine(
        name: name, network: "blue", dip: ip("10.0.0.\(name.dropFirst(2))"), host: host,
        attachment: .networkNamespace(name: name, device: "eth0")))
  }

  static let base: [Resource] = [
    .node(Node(name: "host1", address: ip("10.1.11.2"), roles: [.host], locators: prefix("10.64.1.0/29"))),
    .node(Node(name: "host2", address: ip("10.1.12.2"), roles: [.host], locators: prefix("10.64.2.0/29"))),
    .node(Node(name: "mux1", address: ip("10.1.1.2"), roles: [.mux])),
    .node(Node(name: "mux2", address: ip("10.1.2.2"), roles: [.mux])),
    .virtualNetwork(VirtualNetwork(name: "blue", prefixes: [prefix("10.0.0.0/24")])),
    machine("vm1"), machine("vm2"),
  ]

  /// A primary, its agents, and a log that takes everything at once.
  struct Bench {
    var manager = Manager(ManagerState())
    var sessions: [String: SessionID] = [:]
    var clock: UInt64 = 1000
    var last: UInt64 = 0
    /// What each node was told and has not acknowledged.
    var unheard: [String: [Update]] = [:]
    var nodes: [String: NodeState] = [:]
    var refusals: [PortRefusal] = []
    var counts: [Int] = []
    var entries: [Entry] = []
    var events: [String] = []
    var closed: [String] = []

    init(
      _ resources: [Resource] = PortTests.base + [PortTests.service()], muxes: [String] = ["mux1", "mux2"]
    ) {
      feed(.becamePrimary(Epoch(1)))
      feed(.tick(milliseconds: clock, wallMilliseconds: clock))
      operate(.apply(resources))
      for node in muxes + ["host1", "host2"] { connect(node) }
      pass(5)
    }

    mutating func connect(_ node: String) {
      last += 1
      sessions[node] = SessionID(last)
      unheard[node] = []
      let known = nodes[node] ?? NodeState()
      let roles: [Role] = node.hasPrefix("mux") ? [.mux] : [.host]
      feed(
        .connected(
          Hello(node: node, roles: roles, epoch: known.epoch, revision: known.revision), SessionID(last)))
    }

    mutating func operate(_ operation: Control.Operation) {
      last += 1
      feed(.request(RequestID(last), operation, dryRun: false, by: PortTests.author))
    }

    mutating func ask(_ locator: IPv4Address = PortTests.locator, from node: String = "host1") {
      if let session = sessions[node] {
        feed(.report(.portRequest(PortRequest(locator: locator)), session))
      }
    }

    mutating func giveBack(_ leases: [PortLease], from node: String = "host1") {
      if let session = sessions[node] { feed(.report(.portsReturned(leases), session)) }
    }

    /// Seconds pass; nodes acknowledge first.
    mutating func pass(_ seconds: Int, but deaf: String? = nil) {
      for _ in 0..<seconds {
        hear(but: deaf)
        clock += 1000
        feed(.tick(milliseconds: clock, wallMilliseconds: clock))
      }
      hear(but: deaf)
    }

    /// Nodes carry out what they were told, and say so.
    mutating func hear(but deaf: String? = nil) {
      while let (node, updates) = unheard.sorted(by: { $0.key < $1.key })
        .first(where: { $0.key != deaf && !$0.value.isEmpty }), let update = updates.first
      {
        unheard[node]?.removeFirst()
        #expect(nodes[node, default: NodeState()].apply(update) == .applied)
        if let session = sessions[node] {
          feed(.report(.acknowledged(update.revision, update.epoch), session))
        }
      }
    }

    mutating func feed(_ input: Input) {
      var entries: [Entry] = []
      for output in manager.handle(input) {
        switch output {
        case .append(let entry): entries.append(entry)
        case .draw: break
        case .send(let update, let session):
          if let node = sessions.first(where: { $0.value == session })?.key { unheard[node]?.append(update) }
        case .refusePorts(let refusal, _): refusals.append(refusal)
        case .recalled(_, let count): counts.append(count)
        case .event(.warning, let text): events.append(text)
        case .close(_, let reason): closed.append(reason)
        default: break
        }
      }
      for entry in entries { commit(entry) }
    }

    mutating func commit(_ entry: Entry) {
      entries.append(entry)
      let revision = Revision(manager.state.revision.number + 1)
      feed(.committed([CommittedEntry(revision: revision, entry: entry)]))
    }

    func leases(_ node: String = "host1", _ locator: IPv4Address = PortTests.locator) -> [UInt16] {
      (nodes[node]?.leases[locator] ?? [:]).keys.map(\.firstPort).sorted()
    }

    func ports(_ mux: String) -> [UInt16] {
      (nodes[mux]?.portRanges ?? [:]).keys.map(\.firstPort).sorted()
    }
  }

  @Test("a VM has a range to begin with, which MUXes know, and its VIP is announced") func preallocated() {
    let bench = Bench()
    #expect(bench.leases() == [1024])
    #expect(bench.ports("mux1") == [1024] && bench.ports("mux2") == [1024])
    #expect(bench.nodes["mux1"]?.announced == [Self.vip])
  }

  @Test("who asks again soon gets twice as much, up to the cap") func demand() {
    var bench = Bench(Self.base + [Self.service(ports: 8 * 12)])
    bench.ask()
    bench.hear()
    #expect(bench.leases().count == 2)
    for expected in [4, 8, 12] {
      bench.ask()
      bench.hear()
      #expect(bench.leases().count == expected)
    }
    bench.ask()
    #expect(bench.refusals.map(\.reason) == [.cap])
    #expect(bench.leases() == (0..<12).map { 1024 + 8 * $0 })
    #expect(ManagerState(ManagerSnapshot(bench.manager.state)) == bench.manager.state)
  }

  @Test("a host is told when all MUXes that count know the lease") func muxesFirst() {
    var bench = Bench()
    bench.ask()
    bench.hear(but: "mux2")
    #expect(bench.ports("mux1") == [1024, 1032] && bench.leases() == [1024])
    #expect(bench.nodes["host1"]?.revision == bench.manager.state.revision)
    bench.hear()
    #expect(bench.leases() == [1024, 1032])
  }

  @Test("a MUX without a stream counts for three seconds more") func silentMux() {
    var bench = Bench()
    if let session = bench.sessions["mux2"] { bench.feed(.disconnected(session)) }
    bench.ask()
    bench.pass(3)
    #expect(bench.leases() == [1024])
    bench.pass(2)
    #expect(bench.leases() == [1024, 1032])
    // It comes again, and is told all.
    bench.connect("mux2")
    bench.hear()
    #expect(bench.ports("mux2") == [1024, 1032])
  }

  @Test("without MUXes nobody gets ports") func noMux() {
    var bench = Bench(muxes: [])
    bench.ask()
    #expect(bench.refusals.map(\.reason) == [.noMux])
    #expect(!bench.entries.contains { if case .portsRequested = $0 { true } else { false } })
  }

  @Test("a new primary's snapshot takes nothing from a host") func failover() {
    var bench = Bench()
    bench.ask()
    bench.hear()
    bench.feed(.lostPrimary(address: nil))
    bench.feed(.becamePrimary(Epoch(2)))
    bench.connect("host1")
    bench.hear()
    // The log does not say yet that the second lease is ripe.
    #expect(bench.nodes["host1"]?.epoch == Epoch(1))
    bench.connect("mux1")
    bench.hear()
    #expect(bench.leases() == [1024, 1032] && bench.nodes["host1"]?.epoch == Epoch(1))
    // The other MUX does not come.
    bench.pass(5)
    #expect(bench.leases() == [1024, 1032] && bench.nodes["host1"]?.epoch == Epoch(2))
  }

  @Test("what is given back is free, once; what was said before a new lease is not about that")
  func returned() {
    var bench = Bench()
    bench.ask()
    bench.hear()
    bench.giveBack([Self.lease(1032)])
    // The host has not heard of the end; it says it again, and asks for more.
    bench.giveBack([Self.lease(1032)])
    bench.ask()
    bench.hear(but: "host1")
    bench.giveBack([Self.lease(1032)])
    bench.hear()
    #expect(bench.leases() == [1024, 1032, 1040])
    #expect(bench.ports("mux1") == [1024, 1032, 1040])
    bench.giveBack([Self.lease(1032), Self.lease(1040)])
    bench.giveBack([Self.lease(1024)], from: "host2")
    bench.hear()
    #expect(bench.leases() == [1024] && bench.ports("mux2") == [1024])
  }

  @Test("an operator recalls ports; the host gives them back in its time") func recalled() {
    var bench = Bench()
    bench.ask()
    bench.hear()
    bench.feed(.recall(RequestID(900), .machine("vm1"), by: Self.author))
    bench.hear()
    #expect(bench.counts == [2])
    #expect(bench.nodes["host1"]?.leases[Self.locator] == [Self.range(1024): true, Self.range(1032): true])
    #expect(bench.manager.state.auditRecords.last?.note.contains("2 ranges") == true)
    let revision = bench.manager.state.revision
    bench.feed(.recall(RequestID(901), .vip(Self.vip), by: Self.author))
    #expect(bench.counts == [2, 0] && bench.manager.state.revision == revision)
    let pool = bench.manager.clusterState().ports.first
    #expect(pool?.holdings.first?.recalled == 2 && pool?.capacity == 8064 && pool?.free == 8062)
    bench.ask()
    bench.hear()
    #expect(bench.leases() == [1024, 1032, 1040, 1048])
    bench.giveBack([Self.lease(1024), Self.lease(1032)])
    bench.hear()
    #expect(bench.leases() == [1040, 1048])
    #expect(bench.manager.clusterState().ports.first?.free == 8062)
  }

  @Test("a VM that is out of snat drains; its VIP is announced until then") func shrunk() {
    var bench = Bench(Self.base + [Self.service { $0.snatVIPs = [ip("203.0.113.11")] }])
    bench.operate(.apply([Self.service(["vm2"])]))
    bench.hear()
    #expect(bench.nodes["host1"]?.leases[Self.locator] == [Self.range(1024): true])
    #expect(bench.leases("host1", ip("10.64.1.2")) == [1032])
    bench.ask()
    #expect(bench.refusals.map(\.reason) == [.noService])
    bench.operate(.delete([ResourceKey(.service, "web")]))
    bench.hear()
    #expect(bench.nodes["mux1"]?.announced == [Self.vip])
    bench.giveBack([Self.lease(1024)])
    bench.giveBack([Self.lease(1032, ip("10.64.1.2"))])
    bench.hear()
    #expect(bench.nodes["mux1"]?.announced == [] && bench.manager.clusterState().ports.isEmpty)
  }

  @Test("an endpoint's port is leased to nobody, and recalled from whoever has it") func endpoint() {
    var bench = Bench()
    let endpoint = Endpoint(
      name: "e", transport: .udp, port: 1030, backendPort: 53, backends: [], idleTimeoutMilliseconds: 60_000)
    bench.operate(.apply([Self.service { $0.endpoints = [endpoint] }]))
    bench.hear()
    #expect(bench.nodes["host1"]?.leases[Self.locator] == [Self.range(1024): true, Self.range(1032): false])
    bench.giveBack([Self.lease(1024)])
    bench.ask()
    bench.hear()
    #expect(bench.leases() == [1032, 1040])
    #expect(bench.manager.clusterState().ports.first?.capacity == 8063)
    #expect(ManagerState(ManagerSnapshot(bench.manager.state)) == bench.manager.state)
  }

  @Test("ports of a VM that moves are free when its old host has let go") func orphaned() {
    var bench = Bench()
    bench.operate(.apply([Self.machine("vm1", host: "host2")]))
    bench.hear(but: "host1")
    #expect(bench.leases() == [1024] && bench.leases("host2", ip("10.64.2.1")) == [1032])
    #expect(bench.ports("mux1") == [1032])
    #expect(bench.manager.clusterState().ports.first?.orphaned == 1)
    #expect(ManagerState(ManagerSnapshot(bench.manager.state)) == bench.manager.state)
    bench.ask(ip("10.64.2.1"), from: "host2")
    bench.hear(but: "host1")
    #expect(bench.leases("host2", ip("10.64.2.1")) == [1032, 1040])
    bench.hear()
    #expect(bench.leases() == [] && bench.manager.clusterState().ports.first?.orphaned == 0)
    #expect(bench.entries.contains { if case .portsReleased("host1", _) = $0 { true } else { false } })
  }

  @Test(
    "a deleted host's ports are free when it says goodbye, or after ten minutes", arguments: [true, false])
  func farewell(answers: Bool) {
    var bench = Bench()
    bench.operate(
      .apply([Self.service([]) { $0.endpoints = [Self.endpoint] }]))
    bench.operate(
      .delete([
        ResourceKey(.node, "host1"), ResourceKey(.virtualMachine, "vm1"), ResourceKey(.virtualMachine, "vm2"),
      ]))
    if !answers, let session = bench.sessions["host1"] { bench.feed(.disconnected(session)) }
    bench.pass(answers ? 1 : 500, but: answers ? nil : "host1")
    #expect((bench.manager.clusterState().ports.first?.orphaned ?? 0) == (answers ? 0 : 1))
    bench.pass(answers ? 0 : 200, but: "host1")
    #expect(bench.manager.clusterState().ports.isEmpty)
  }

  private static let endpoint = Endpoint(
    name: "e", transport: .tcp, port: 80, backendPort: 80, backends: [], idleTimeoutMilliseconds: 60_000)

  @Test("who asks too often is told so, and another's VM is nobody's") func refusals() {
    var bench = Bench(Self.base + [Self.service(ports: 8)])
    for _ in 0..<22 { bench.ask() }
    #expect(bench.refusals.map(\.reason) == Array(repeating: .cap, count: 20) + [.rate, .rate])
    // Each reason is an event once, and again after a minute.
    let events = [
      "vm1 gets no ports: it has all 8 that web allows",
      "vm1 gets no ports: it asks more than 10 times a second",
    ]
    #expect(bench.events == events)
    bench.pass(60)
    bench.ask()
    #expect(bench.events == events + events.prefix(1))
    bench.refusals = []
    bench.events = []
    bench.ask(from: "host2")
    bench.ask(ip("10.64.1.6"))
    bench.ask(ip("10.64.1.2"))
    #expect(bench.refusals.map(\.reason) == [.noService, .noService, .noService])
    // No VM has the second locator.
    #expect(
      bench.events == [
        "host2 gets no ports for vm1: that is on host1", "vm2 gets no ports: no service lets it out",
      ])
  }

  @Test("requests of one moment share an entry") func gathered() throws {
    var bench = Bench(Self.base + [Self.service(["vm1", "vm2"])])
    // Two entries may be on their way; what comes meanwhile waits.
    let session = try #require(bench.sessions["host1"])
    let first = bench.manager.handle(.report(.portRequest(PortRequest(locator: Self.locator)), session))
    let second = bench.manager.handle(.report(.portRequest(PortRequest(locator: ip("10.64.1.2"))), session))
    #expect(first.count == 1 && second.count == 1)
    let again = bench.manager.handle(.report(.portRequest(PortRequest(locator: Self.locator)), session))
    #expect(again.isEmpty)
    let held = bench.manager.handle(.report(.portsReturned([Self.lease(1024)]), session))
    #expect(held.isEmpty)
    guard case .append(let entry)? = first.first else {
      Issue.record("no entry about ports")
      return
    }
    let revision = Revision(bench.manager.state.revision.number + 1)
    let outputs = bench.manager.handle(.committed([CommittedEntry(revision: revision, entry: entry)]))
    #expect(outputs.contains { if case .append(.portsReturned) = $0 { true } else { false } })
  }

  @Test("when all ports are taken, that is said") func exhausted() {
    let names = (1...6).map { "vm\($0)" }
    var bench = Bench(
      Self.base + names.dropFirst(2).map { Self.machine($0) } + [Self.service(names, ports: 64_512)])
    for _ in 0..<400 where bench.refusals.isEmpty {
      for number in UInt8(1)...6 { bench.ask(IPv4Address(10, 64, 1, number)) }
      bench.pass(1)
    }
    #expect(bench.refusals.first?.reason == .exhausted)
    #expect(bench.events.contains { $0.hasSuffix("gets no ports: all of 203.0.113.10 are taken") })
    let pool = bench.manager.clusterState().ports.first
    #expect(pool?.free == 0 && pool?.holdings.reduce(0) { $0 + $1.ranges } == 8064)
    #expect(bench.ports("mux1").count == 8064)
    #expect(ManagerState(ManagerSnapshot(bench.manager.state)) == bench.manager.state)
  }
}
