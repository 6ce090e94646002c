import Control
import Manager
import Testing
import Wire

@Suite("Manager's state") struct StateTests {
  private static let author = Author(name: "test", at: 0)

  private static let key = EndpointKey(vip: ip("203.0.113.10"), transport: .tcp, port: 80)

  private static func machine(_ index: Int, host: String = "host1") -> Resource {
    .virtualMachine(
      VirtualMachine(
        name: "vm\(index)", network: "blue", dip: IPv4Address(10, 0, 0, UInt8(index)), host: host,
        attachment: .networkNamespace(name: "vm\(index)", device: "eth0")))
  }

  private static func service(_ backends: [Backend], probe: Probe? = nil) -> Resource {
    .service(
      Service(
        name: "web", vip: key.vip,
        endpoints: [
          Endpoint(
            name: "http", transport: .tcp, port: 80, backendPort: 8080, backends: backends, probe: probe,
            idleTimeoutMilliseconds: 240_000),
          Endpoint(
            name: "other", transport: .tcp, port: 81, backendPort: 8081, backends: [],
            idleTimeoutMilliseconds: 240_000),
        ]))
  }

  private static let base: [Resource] = [
    .node(Node(name: "host1", address: ip("10.1.11.2"), roles: [.host], locators: prefix("10.64.1.0/29"))),
    .node(Node(name: "host2", address: ip("10.1.12.2"), roles: [.host], locators: prefix("10.64.2.0/29"))),
    .node(Node(name: "mux1", address: ip("10.1.1.2"), roles: [.mux])),
    .virtualNetwork(VirtualNetwork(name: "blue", prefixes: [prefix("10.0.0.0/24")])),
  ]

  private static func state(_ resources: [Resource]) -> ManagerState {
    var state = ManagerState()
    _ = state.apply(.operation(.apply(base + resources), by: Self.author), at: Revision(1))
    return state
  }

  private static func backends(in state: ManagerState) -> [MuxBackend]? {
    for case .setMuxEndpoint(let endpoint) in state.snapshot(for: "mux1") where endpoint.key == key {
      return endpoint.backends
    }
    return nil
  }

  @Test("gives the lowest free locator, keeps it, and gives it again when it is free") func locators() {
    var state = Self.state([3, 1, 2].map { Self.machine($0) })
    #expect(state.locators == ["vm1": ip("10.64.1.1"), "vm2": ip("10.64.1.2"), "vm3": ip("10.64.1.3")])
    _ = state.apply(.operation(.apply([Self.machine(2)]), by: Self.author), at: Revision(2))
    #expect(state.locators["vm2"] == ip("10.64.1.2"))
    _ = state.apply(
      .operation(.delete([ResourceKey(.virtualMachine, "vm1")]), by: Self.author), at: Revision(3))
    _ = state.apply(
      .operation(.apply([Self.machine(4), Self.machine(3, host: "host2")]), by: Self.author), at: Revision(4))
    #expect(
      state.locators == ["vm2": ip("10.64.1.2"), "vm3": ip("10.64.2.1"), "vm4": ip("10.64.1.1")])
  }

  @Test("leaves out the first and the last address of the prefix") func capacity() {
    let state = Self.state((1...6).map { Self.machine($0) })
    #expect(state.locators.values.sorted() == (1...6).map { IPv4Address(10, 64, 1, $0) })
    #expect(LocatorRange(prefix("10.64.1.0/29")).capacity == 6)
    #expect(LocatorRange(prefix("10.64.1.0/31")).capacity == 0)
  }

  @Test("a host's words are cut before they go into the log", arguments: ["x", "e\u{301}", "\u{301}"])
  func longReason(part: String) {
    let service = Self.service([Backend(machine: "vm1")], probe: Probe(method: .tcp, port: 8080))
    var manager = Manager(Self.state([Self.machine(1), service]))
    _ = manager.handle(.becamePrimary(Epoch(1)))
    _ = manager.handle(
      .committed([CommittedEntry(revision: Revision(2), entry: .epochBegan(Epoch(1)))]))
    let hello = Hello(node: "host1", roles: [.host], epoch: .none, revision: Revision(0))
    _ = manager.handle(.connected(hello, SessionID(1)))
    let reason = "x" + String(repeating: part, count: 10_000)
    let change = HealthChange(locator: ip("10.64.1.1"), key: Self.key, isHealthy: true, reason: reason)
    let outputs = manager.handle(.report(.health([change]), SessionID(1)))
    guard case .append(.health(let changes, _))? = outputs.first else {
      Issue.record("\(outputs)")
      return
    }
    #expect(changes.count == 1)
    #expect(changes.allSatisfy { $0.reason.utf8.first == UInt8(ascii: "x") && $0.reason.utf8.count <= 128 })
  }

  @Test("a probed backend gets connections from its first healthy report on, and one endpoint is sent")
  func health() {
    let backends = [Backend(machine: "vm1"), Backend(machine: "vm2", weight: 5)]
    var state = Self.state([
      Self.machine(1), Self.machine(2), Self.service(backends, probe: Probe(method: .tcp, port: 8080)),
    ])
    #expect(!state.snapshot(for: "mux1").contains(.announce(Self.key.vip)))

    let up = HealthChange(locator: ip("10.64.1.2"), key: Self.key, isHealthy: true, reason: "accepted")
    let endpoint = MuxEndpoint(
      key: Self.key, backends: [MuxBackend(locator: ip("10.64.1.2"), weight: 5)], affinity: .fiveTuple,
      idleTimeoutMilliseconds: 240_000)
    let commands = state.apply(.health([up], node: "host1"), at: Revision(2))
    #expect(
      commands == [
        NodeCommands(node: "mux1", commands: [.setMuxEndpoint(endpoint), .announce(Self.key.vip)])
      ])
    #expect(state.apply(.health([up], node: "host1"), at: Revision(3)).isEmpty)

    var down = up
    down.isHealthy = false
    #expect(state.apply(.health([down], node: "host2"), at: Revision(4)).isEmpty, "not its host")
    var empty = endpoint
    empty.backends = []
    #expect(
      state.apply(.health([down], node: "host1"), at: Revision(5)) == [
        NodeCommands(node: "mux1", commands: [.withdraw(Self.key.vip), .setMuxEndpoint(empty)])
      ])
  }

  @Test("a backend that drains is named to the MUXes as long as its server answers")
  func draining() {
    let backends = [Backend(machine: "vm1", weight: 0), Backend(machine: "vm2")]
    var state = Self.state([
      Self.machine(1), Self.machine(2), Self.service(backends, probe: Probe(method: .tcp, port: 8080)),
    ])
    var changes = ["10.64.1.1", "10.64.1.2"].map { locator in
      HealthChange(locator: ip(locator), key: Self.key, isHealthy: true, reason: "accepted")
    }
    _ = state.apply(.health(changes, node: "host1"), at: Revision(2))
    changes[0].isHealthy = false
    let named = [
      MuxBackend(locator: ip("10.64.1.1"), weight: 0), MuxBackend(locator: ip("10.64.1.2"), weight: 1),
    ]
    #expect(Self.backends(in: state) == named)
    _ = state.apply(.health([changes[0]], node: "host1"), at: Revision(3))
    #expect(Self.backends(in: state) == [named[1]])
  }

  @Test(
    "health is forgotten when the probe asks something else, and only then",
    arguments: [
      (
        Probe(method: .tcp, port: 8080, intervalMilliseconds: 500, timeoutMilliseconds: 100, threshold: 9),
        true
      ),
      (Probe(method: .tcp, port: 8081), false), (Probe(method: .http(path: "/"), port: 8080), false),
      (nil, false),
    ])
  func probeChange(_ probe: Probe?, isKept: Bool) {
    let backends = [Backend(machine: "vm1")]
    var state = Self.state([Self.machine(1), Self.service(backends, probe: Probe(method: .tcp, port: 8080))])
    let up = HealthChange(locator: ip("10.64.1.1"), key: Self.key, isHealthy: true, reason: "accepted")
    _ = state.apply(.health([up], node: "host1"), at: Revision(2))
    _ = state.apply(
      .operation(.apply([Self.service(backends, probe: probe)]), by: Self.author), at: Revision(3))
    #expect(!state.health.isEmpty == isKept)
  }

  @Test(
    "weight 0 and no backends withdraw the VIP",
    arguments: [
      ([Backend(machine: "vm1", weight: 0)], false), ([], false), ([Backend(machine: "vm1")], true),
      ([Backend(machine: "vm1", weight: 0), Backend(machine: "vm2")], true),
    ])
  func announcing(_ backends: [Backend], isAnnounced: Bool) {
    let state = Self.state([Self.machine(1), Self.machine(2), Self.service(backends)])
    #expect(state.snapshot(for: "mux1").contains(.announce(Self.key.vip)) == isAnnounced)
  }

  @Test("withdraws before it removes, and announces after it has set") func order() {
    var state = Self.state([Self.machine(1), Self.service([Backend(machine: "vm1")])])
    let snapshot = state.snapshot(for: "mux1")
    #expect(snapshot.last == .announce(Self.key.vip))
    let commands = state.apply(
      .operation(.delete([ResourceKey(.service, "web")]), by: Self.author), at: Revision(2))
    let mux = commands.first { $0.node == "mux1" }?.commands ?? []
    #expect(mux.first == .withdraw(Self.key.vip))
    #expect(mux.count == 3)
  }

  @Test("a VM that takes another's locator begins from nothing") func replaced() {
    let probe = Probe(method: .tcp, port: 8080)
    let both = [Backend(machine: "vm1"), Backend(machine: "vm2")]
    var state = Self.state([
      Self.machine(1), Self.machine(2, host: "host2"), Self.service(both, probe: probe),
    ])
    let up = HealthChange(locator: ip("10.64.1.1"), key: Self.key, isHealthy: true, reason: "accepted")
    _ = state.apply(.health([up], node: "host1"), at: Revision(2))
    let swapped = [Self.machine(1, host: "host2"), Self.machine(2, host: "host1")]
    let commands = state.apply(.operation(.apply(swapped), by: Self.author), at: Revision(3))
    #expect(state.locators == ["vm1": ip("10.64.2.1"), "vm2": ip("10.64.1.1")])
    #expect(state.health.isEmpty)
    let host1 = commands.first { $0.node == "host1" }?.commands ?? []
    #expect(host1.first == .removeMachine(ip("10.64.1.1")))
    #expect(host1.count == 3, "removed, set, and its endpoint set")
  }

  @Test("a new MUX gets the same snapshot as the others, hosts learn of it") func newMux() {
    var state = Self.state([Self.machine(1), Self.service([Backend(machine: "vm1")])])
    let mux2 = Node(name: "mux2", address: ip("10.1.2.2"), roles: [.mux])
    let commands = state.apply(.operation(.apply([.node(mux2)]), by: Self.author), at: Revision(2))
    #expect(commands.map(\.node) == ["host1", "host2"])
    #expect(commands[0].commands == [.setMuxes([ip("10.1.1.2"), ip("10.1.2.2")])])
    #expect(!state.snapshot(for: "mux2").isEmpty)
    #expect(state.snapshot(for: "mux2") == state.snapshot(for: "mux1"))
  }

  @Test("a host learns of its locator prefix, and of its change") func locatorPrefix() {
    var state = Self.state([Self.machine(1)])
    #expect(state.snapshot(for: "host1").contains(.setLocators(prefix("10.64.1.0/29"))))
    #expect(!state.snapshot(for: "mux1").contains(.setLocators(prefix("10.64.1.0/29"))))
    let moved = Node(
      name: "host1", address: ip("10.1.11.2"), roles: [.host], locators: prefix("10.64.9.0/29"))
    let commands = state.apply(.operation(.apply([.node(moved)]), by: Self.author), at: Revision(2))
    #expect(commands.map(\.node) == ["host1"])
    #expect(
      commands[0].commands.prefix(2) == [
        .removeMachine(ip("10.64.1.1")), .setLocators(prefix("10.64.9.0/29")),
      ])
    #expect(commands[0].commands.count == 3)
    #expect(state.locators == ["vm1": ip("10.64.9.1")])
  }
}
