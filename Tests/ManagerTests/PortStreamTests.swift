import Control
import Testing
import Wire

@testable import Manager

/// What streams carry of leased ports, and when.
@Suite("Leased ports on their way to nodes") struct PortStreamTests {
  @Test("a host's snapshot holds no lease that a MUX does not know") func unripe() {
    var bench = PortTests.Bench()
    bench.ask()
    bench.hear(but: "mux2")
    bench.connect("host1")
    let snapshot = bench.unheard["host1"]?.first
    #expect(snapshot?.isSnapshot == true)
    let leases = snapshot?.commands.filter { if case .leasePortRange = $0 { true } else { false } }
    #expect(leases == [.leasePortRange(PortTests.lease(1024))])
    bench.hear(but: "mux2")
    #expect(bench.leases() == [1024])
    bench.hear()
    #expect(bench.leases() == [1024, 1032])
  }

  @Test("ports of a VM that moves and keeps its locator are free when its old host has let go") func kept() {
    var bench = PortTests.Bench()
    let hosts: [Resource] = [
      .node(
        Node(name: "host1", address: ip("10.1.11.2"), roles: [.host], locators: prefix("10.64.3.0/29"))),
      .node(
        Node(name: "host2", address: ip("10.1.12.2"), roles: [.host], locators: prefix("10.64.1.0/29"))),
    ]
    bench.operate(.apply(hosts + [PortTests.machine("vm1", host: "host2")]))
    #expect(bench.manager.state.locators["vm1"] == PortTests.locator)
    bench.hear(but: "host1")
    #expect(bench.leases("host1") == [1024] && bench.leases("host2") == [1032])
    #expect(bench.ports("mux1") == [1032])
    #expect(bench.manager.clusterState().ports.first?.orphaned == 1)
    bench.hear()
    #expect(bench.leases("host1") == [] && bench.leases("host2") == [1032])
    #expect(bench.manager.clusterState().ports.first?.orphaned == 0)
  }

  @Test("a request that waits may be said again, at no price") func patience() {
    var bench = PortTests.Bench()
    for _ in 0..<30 { bench.ask() }
    #expect(bench.refusals.isEmpty && bench.unheard["mux1"]?.isEmpty == false)
    bench.hear()
    #expect(bench.leases() == [1024, 1032])
  }

  @Test("one entry may have more commands than may wait behind it") func bigEntry() {
    var stream = NodeStream(
      id: SessionID(1),
      hello: Hello(node: "mux1", roles: [.mux], epoch: .none, revision: Revision(0)))
    #expect(stream.next(ManagerState(), now: 0) { [] } != nil)
    let command = Command.setPortRange(PortTests.lease(1024))
    let isTaken = stream.enqueue(Array(repeating: command, count: 11), atMost: 10)
    let isTakenBehind = stream.enqueue([command], atMost: 10)
    #expect(isTaken && !isTakenBehind)
  }

  @Test(
    "entries about ports go to those whom they concern, and to the others after a second or when somebody waits"
  )
  func bare() {
    var bench = PortTests.Bench()
    for _ in 0..<2 {
      bench.ask()
      bench.hear()
    }
    #expect(bench.leases().count == 4 && bench.nodes["host2"]?.revision != bench.manager.state.revision)
    bench.pass(2)
    #expect(bench.nodes["host2"]?.revision == bench.manager.state.revision)
    bench.ask()
    bench.hear()
    #expect(bench.nodes["host2"]?.revision != bench.manager.state.revision)
    bench.feed(.wait(RequestID(900), bench.manager.state.revision))
    bench.hear()
    #expect(bench.nodes["host2"]?.revision == bench.manager.state.revision)
    bench.operate(.apply([PortTests.machine("vm2", host: "host2")]))
    bench.ask()
    bench.hear()
    #expect(bench.nodes["mux1"]?.revision == bench.manager.state.revision)
  }

  @Test("a flood's ports that all come back end no MUX's stream") func flood() {
    let names = (1...6).map { "vm\($0)" }
    let vips = (11...12).map { ip("203.0.113.\($0)") }
    let service = PortTests.service(names, ports: 64_512) { $0.snatVIPs = vips }
    var bench = PortTests.Bench(PortTests.base + names.dropFirst(2).map { PortTests.machine($0) } + [service])
    let locators = (UInt8(1)...6).map { IPv4Address(10, 64, 1, $0) }
    var count = 0
    while count < 3 * 8064 {
      for locator in locators { bench.ask(locator) }
      bench.hear()
      let all = bench.nodes["host1"]?.leases.reduce(0) { $0 + $1.value.count } ?? 0
      guard all > count else { break }
      count = all
      bench.pass(1)
    }
    #expect(count > Limits.pendingCommandsPerNode)
    for (locator, ranges) in (bench.nodes["host1"]?.leases ?? [:]).sorted(by: { $0.key < $1.key }) {
      bench.giveBack(ranges.keys.sorted().map { PortLease($0, to: locator) })
      bench.hear(but: "mux1")
    }
    #expect(bench.closed.isEmpty && bench.ports("mux2").isEmpty)
    bench.hear()
    #expect(bench.closed.isEmpty && bench.ports("mux1").isEmpty)
  }
}
