import Dataplane
import HostAgent
import Testing
import Wire

@Suite("Flows")
struct FlowTests {
  static func packet(_ flags: UInt8, from port: UInt16 = 40_000, to destination: IPv4Address = vip) -> [UInt8]
  {
    Packet.wrapped(Packet(destination: destination, sourcePort: port, flags: flags, payload: []).bytes)
  }
  static func answer(_ flags: UInt8, to port: UInt16 = 40_000, from source: UInt16 = 8080) -> [UInt8] {
    Packet(
      source: dip, destination: client, sourcePort: source, destinationPort: port, flags: flags, payload: []
    ).bytes
  }
  /// Two endpoints behind one port, so that a reply without a flow cannot be attributed.
  static let twins = Bench.map(endpoints: [
    Bench.endpoint(3, vip, .tcp, 80, 8080), Bench.endpoint(3, vip2, .tcp, 80, 8080),
    Bench.endpoint(3, vip, .udp, 53, 53, idle: 60_000),
  ])

  static func open(_ bench: inout Bench, from port: UInt16 = 40_000) {
    _ = bench.inbound(packet(0x02, from: port))
    _ = bench.outbound(answer(0x12, to: port))
    _ = bench.inbound(packet(0x10, from: port))
  }

  /// Packets (inbound or not, flags), how long it stays silent, whether a reply still finds the flow.
  static let silences: [(String, [(Bool, UInt8)], UInt32, Bool)] = [
    ("a SYN alone, 10 s", [(true, 0x02)], 10_000, true),
    ("a SYN alone, longer", [(true, 0x02)], 10_001, false),
    ("a SYN and its answer", [(true, 0x02), (false, 0x12)], 10_001, false),
    ("a handshake, 4 minutes", [(true, 0x02), (false, 0x12), (true, 0x10)], 240_000, true),
    ("a handshake, longer", [(true, 0x02), (false, 0x12), (true, 0x10)], 240_001, false),
    ("one side closed", [(true, 0x02), (false, 0x12), (true, 0x10), (true, 0x11)], 240_000, true),
    ("both closed", [(true, 0x02), (false, 0x12), (true, 0x10), (true, 0x11), (false, 0x11)], 10_001, false),
    ("both closed, the last ACK", [(true, 0x02), (false, 0x12), (true, 0x11), (false, 0x11)], 10_000, true),
    ("reset by the client", [(true, 0x02), (false, 0x12), (true, 0x10), (true, 0x04)], 10_001, false),
    ("reset by the VM", [(true, 0x02), (false, 0x12), (true, 0x10), (false, 0x14)], 10_001, false),
    (
      "reopened",
      [(true, 0x02), (false, 0x12), (true, 0x10), (true, 0x04), (true, 0x02), (false, 0x12), (true, 0x10)],
      240_000, true
    ),
    ("resumed, not answered", [(true, 0x10)], 10_001, false),
    ("resumed and answered", [(true, 0x10), (false, 0x10), (true, 0x10)], 240_000, true),
  ]

  @Test("last as long as their state allows", arguments: silences)
  func silence(_ name: String, _ packets: [(Bool, UInt8)], _ pause: UInt32, _ lives: Bool) {
    var bench = Bench(Self.twins)
    for (isInbound, flags) in packets {
      let fate = isInbound ? bench.inbound(Self.packet(flags)) : bench.outbound(Self.answer(flags))
      #expect(fate.reason == nil, "\(name)")
    }
    bench.now &+= pause
    let fate = bench.outbound(Self.answer(0x10))
    #expect(fate.reason == (lives ? nil : .noFlow), "\(name)")
  }

  @Test("survive the clock's wrap")
  func wrap() {
    var bench = Bench(Self.twins)
    bench.now = .max - 5
    Self.open(&bench)
    bench.now = bench.now &+ 100_000
    #expect(bench.outbound(Self.answer(0x10)).isTransmitted)
  }

  @Test(
    "of datagrams last one minute, unanswered ones ten seconds",
    arguments: [(true, UInt32(60_000)), (false, 10_000)])
  func datagrams(isAnswered: Bool, patience: UInt32) {
    for (pause, lives) in [(patience, true), (patience + 1, false)] {
      var bench = Bench()
      let reply = OutboundTests.reply(proto: .udp).bytes
      _ = bench.inbound(Packet.wrapped(Packet(proto: .udp, destinationPort: 53).bytes))
      if isAnswered { #expect(bench.outbound(reply).isTransmitted) }
      bench.now += pause
      #expect(bench.outbound(reply).isTransmitted == lives)
    }
  }

  @Test("are resumed by any segment of the client, as after a restart of the agent")
  func resumed() {
    var bench = Bench(Self.twins)
    #expect(bench.outbound(Self.answer(0x10)).reason == .noFlow)
    #expect(bench.inbound(Self.packet(0x10)).machine == 3)
    #expect(bench.outbound(Self.answer(0x10)).isTransmitted)
    #expect(bench.agent.counters.flows.resumed == 1)
  }

  @Test("are resumed by a segment of the VM when only one VIP can be meant")
  func resumedByMachine() {
    var bench = Bench()
    let fate = bench.outbound(Self.answer(0x18))
    #expect(fate.tuple.source == vip && fate.tuple.sourcePort == 80)
    #expect(bench.agent.counters.flows.resumed == 1)
    #expect(bench.outbound(Self.answer(0x18, from: 8081)).reason == .noFlow)
  }

  @Test("are not begun by a RST, which goes through")
  func resetAlone() {
    var bench = Bench()
    #expect(bench.inbound(Self.packet(0x04)).machine == 3)
    #expect(bench.outbound(Self.answer(0x14)).isTransmitted)
    #expect(bench.agent.counters.flows.created == 0)
  }

  @Test("that the VM could not tell apart: the second is refused until the first has ended")
  func conflict() {
    var bench = Bench(Self.twins)
    Self.open(&bench)
    #expect(bench.inbound(Self.packet(0x02, to: vip2)).reason == .flowConflict)
    #expect(bench.outbound(Self.answer(0x10)).tuple.source == vip)
    _ = bench.outbound(Self.answer(0x14))
    #expect(bench.inbound(Self.packet(0x02, to: vip2)).machine == 3)
    #expect(bench.outbound(Self.answer(0x12)).tuple.source == vip2)
  }

  @Test("are counted per VM while they live, and swept when they do not")
  func counted() {
    var bench = Bench(Self.twins)
    for port in 1...100 { Self.open(&bench, from: UInt16(40_000 + port)) }
    #expect(bench.agent.counters.machine(3).flows == 100)
    #expect(bench.agent.counters.flows.live == 100)
    bench.agent.sweep(now: bench.now, budget: 4096)
    #expect(bench.agent.counters.flows.live == 100)
    bench.now += 240_001
    for _ in 0..<4 { bench.agent.sweep(now: bench.now, budget: 256) }
    #expect(bench.agent.counters.flows.live == 0)
    #expect(bench.agent.counters.machine(3).flows == 0)
    #expect(bench.agent.counters.flows.expired == 100)
  }

  @Test("that are established never give way to a flood of SYNs")
  func flood() {
    var bench = Bench(Self.twins, flowCapacity: 256)
    var kept: [UInt16] = []
    for port in 1...120 {
      Self.open(&bench, from: UInt16(port))
      if bench.outbound(Self.answer(0x10, to: UInt16(port))).isTransmitted { kept.append(UInt16(port)) }
    }
    #expect(kept.count == 120, "two buckets of four take a table that is half full")
    for port in 1000...20_000 { _ = bench.inbound(Self.packet(0x02, from: UInt16(port))) }
    #expect(bench.agent.counters.flows.evicted > 10_000)
    for port in kept { #expect(bench.outbound(Self.answer(0x10, to: port)).isTransmitted) }
  }

  @Test("find no place when all places are taken by established ones")
  func full() {
    var bench = Bench(Self.twins, flowCapacity: 8)
    for port in 1...8 { Self.open(&bench, from: UInt16(port)) }
    #expect(bench.inbound(Self.packet(0x02, from: 99)).reason == .flowTableFull)
    bench.now += 240_001
    #expect(bench.inbound(Self.packet(0x02, from: 99)).machine == 3)
  }
}
