import Control
import Manager
import Testing

/// MUXes know a lease before its host does, whoever comes and goes.
extension PortTests {
  @Test("a new primary tells a host at once what the log says is ripe") func failoverAtOnce() {
    var bench = Bench()
    bench.pass(2)
    #expect(bench.entries.contains { if case .portsRipe = $0 { true } else { false } })
    bench.feed(.lostPrimary(address: nil))
    bench.feed(.becamePrimary(Epoch(2)))
    bench.connect("host1")
    bench.hear()
    #expect(bench.leases() == [1024] && bench.nodes["host1"]?.epoch == Epoch(2))
    // What is new is not ripe: the MUXes are not here yet.
    bench.ask()
    bench.hear()
    #expect(bench.leases() == [1024])
    bench.connect("mux1")
    bench.connect("mux2")
    bench.hear()
    #expect(bench.leases() == [1024, 1032])
  }

  @Test("leases wait for a MUX from the moment it is sent its snapshot") func attaching() {
    var bench = Bench(muxes: ["mux1"])
    bench.connect("mux2")
    bench.ask()
    bench.hear(but: "mux2")
    #expect(bench.ports("mux1") == [1024, 1032] && bench.leases() == [1024])
    bench.hear()
    #expect(bench.ports("mux2") == [1024, 1032] && bench.leases() == [1024, 1032])
    // One that never comes so far holds nobody up for longer than its stream lives.
    if let session = bench.sessions["mux2"] { bench.feed(.disconnected(session)) }
    bench.pass(5)
    bench.connect("mux2")
    bench.ask()
    bench.hear(but: "mux2")
    #expect(bench.leases() == [1024, 1032])
    if let session = bench.sessions["mux2"] { bench.feed(.disconnected(session)) }
    bench.pass(1, but: "mux2")
    #expect(bench.leases().count == 4)
  }
}
