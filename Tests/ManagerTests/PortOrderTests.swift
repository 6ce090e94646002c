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
    // One that never comes so far holds nobody up for longer than three seconds after its stream has ended: it may
    // have carried its snapshot out.
    if let session = bench.sessions["mux2"] { bench.feed(.disconnected(session)) }
    bench.pass(5)
    bench.connect("mux2")
    bench.ask()
    bench.hear(but: "mux2")
    #expect(bench.leases() == [1024, 1032])
    if let session = bench.sessions["mux2"] { bench.feed(.disconnected(session)) }
    bench.pass(3, but: "mux2")
    #expect(bench.leases() == [1024, 1032])
    bench.pass(1, but: "mux2")
    #expect(bench.leases().count == 4)
  }

  @Test("a MUX that lives and acknowledges nothing holds nobody up for longer than ten seconds") func deaf() {
    var bench = Bench()
    bench.ask()
    bench.pass(10, but: "mux2")
    #expect(bench.leases() == [1024] && bench.events.isEmpty)
    bench.pass(2, but: "mux2")
    #expect(bench.leases() == [1024, 1032])
    #expect(bench.events == ["mux2 has acknowledged nothing for 10 seconds; leases do not wait for it"])
    // It counts no more, whatever becomes of its stream.
    bench.connect("mux2")
    bench.ask()
    bench.hear(but: "mux2")
    #expect(bench.leases().count == 3)
    // Nor does it when all others are gone: then there is none.
    if let session = bench.sessions["mux1"] { bench.feed(.disconnected(session)) }
    bench.pass(5, but: "mux2")
    bench.ask()
    #expect(bench.refusals.map(\.reason) == [.noMux])
    // It has carried its snapshot out, and counts again.
    bench.hear()
    bench.ask()
    bench.hear(but: "mux2")
    #expect(bench.leases().count == 3)
    bench.hear()
    #expect(bench.leases().count == 5 && bench.ports("mux2") == bench.leases())
  }

  @Test("a MUX that comes again and again and acknowledges nothing holds nobody up for longer, either")
  func restless() {
    var bench = Bench()
    bench.ask()
    for _ in 0..<12 {
      if let session = bench.sessions["mux2"] { bench.feed(.disconnected(session)) }
      bench.connect("mux2")
      bench.pass(1, but: "mux2")
    }
    #expect(bench.leases() == [1024, 1032])
  }

  @Test("a new primary waits for a MUX whose stream ends before it has acknowledged its snapshot")
  func awaited() {
    var bench = Bench()
    bench.ask()
    bench.hear()
    bench.feed(.lostPrimary(address: nil))
    bench.feed(.becamePrimary(Epoch(2)))
    for node in ["host1", "mux1", "mux2"] { bench.connect(node) }
    bench.pass(2, but: "mux2")
    if let session = bench.sessions["mux2"] { bench.feed(.disconnected(session)) }
    bench.pass(3, but: "mux2")
    #expect(bench.nodes["host1"]?.epoch == Epoch(1))
    bench.pass(1, but: "mux2")
    #expect(bench.nodes["host1"]?.epoch == Epoch(2) && bench.leases() == [1024, 1032])
  }

  @Test("a new primary waits for a MUX that has a stream and acknowledges nothing, until it is late")
  func deafAtFirst() {
    var bench = Bench()
    bench.ask()
    bench.hear(but: "mux2")
    bench.feed(.lostPrimary(address: nil))
    bench.feed(.becamePrimary(Epoch(2)))
    for node in ["host1", "mux1", "mux2"] { bench.connect(node) }
    bench.pass(9, but: "mux2")
    // Its snapshot would have told it what is not ripe, and it may announce without.
    #expect(bench.nodes["host1"]?.epoch == Epoch(1))
    bench.pass(3, but: "mux2")
    #expect(bench.nodes["host1"]?.epoch == Epoch(2) && bench.leases() == [1024, 1032])
  }
}
