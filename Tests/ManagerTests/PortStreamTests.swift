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

  @Test("one entry may have more commands than may wait behind it") func bigEntry() {
    var stream = NodeStream(
      id: SessionID(1),
      hello: Hello(node: "mux1", roles: [.mux], epoch: .none, revision: Revision(0)))
    #expect(stream.next(ManagerState(), now: 0) { [] } != nil)
    let command = Command.setPortRange(PortTests.lease(1024))
    let isTaken = stream.enqueue(Array(repeating: command, count: Limits.pendingCommandsPerNode + 1))
    let isTakenBehind = stream.enqueue([command])
    #expect(isTaken && !isTakenBehind)
  }
}
