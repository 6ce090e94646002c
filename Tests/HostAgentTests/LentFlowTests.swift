import Dataplane
import HostAgent
import Testing
import Wire

/// What the kernel is told of flows, and asked about them.
@Suite("Lent flows")
struct LentFlowTests {
  static let map = HostKernelBench.lendingMap
  static let flow = KnownFlow(
    machine: 3, locator: locator1, dip: dip, vip: vip, vipPort: 80, backendPort: 8080, remote: client,
    remotePort: 40_000, proto: .tcp)

  static func changes(_ bench: inout Bench) -> [FlowChange] {
    var changes: [FlowChange] = []
    while let change = bench.agent.takeChange() { changes.append(change) }
    return changes
  }

  @Test("are told once when they are established, and once when they end")
  func life() {
    var bench = Bench(Self.map)
    _ = bench.inbound(FlowTests.packet(0x02))
    _ = bench.outbound(FlowTests.answer(0x12))
    #expect(Self.changes(&bench).isEmpty)
    _ = bench.inbound(FlowTests.packet(0x10))
    #expect(Self.changes(&bench) == [FlowChange(.known, Self.flow)])
    for _ in 0..<3 { _ = bench.inbound(FlowTests.packet(0x18)) }
    _ = bench.inbound(FlowTests.packet(0x11))
    #expect(Self.changes(&bench).isEmpty)
    _ = bench.outbound(FlowTests.answer(0x11))
    #expect(Self.changes(&bench) == [FlowChange(.ended, Self.flow)])
  }

  @Test("of UDP are told when the VM has answered")
  func datagrams() {
    var bench = Bench(Self.map)
    _ = bench.inbound(Packet.wrapped(Packet(proto: .udp, destinationPort: 53).bytes))
    #expect(Self.changes(&bench).isEmpty)
    _ = bench.outbound(OutboundTests.reply(proto: .udp).bytes)
    #expect(Self.changes(&bench).map(\.flow.proto) == [.udp])
  }

  @Test("are none where the VM's device cannot have them carried")
  func elsewhere() {
    var bench = Bench()
    FlowTests.open(&bench)
    #expect(Self.changes(&bench).isEmpty)
  }

  @Test("live as long as the kernel sees them", arguments: [false, true])
  func silence(isAsked: Bool) {
    var bench = Bench(Self.map)
    FlowTests.open(&bench)
    _ = Self.changes(&bench)
    let begin = bench.now
    bench.now += 240_001
    bench.agent.sweep(now: bench.now, budget: 2_048)
    #expect(Self.changes(&bench) == [FlowChange(.silent, Self.flow)])
    let lastSeen = isAsked ? begin + 100_000 : nil
    let mayGoOn = bench.agent.settle(Self.flow, lastSeen: lastSeen, now: bench.now)
    #expect(mayGoOn == isAsked)
    bench.agent.sweep(now: bench.now, budget: 2_048)
    #expect(Self.changes(&bench).isEmpty)
    #expect(bench.agent.counters.flows.live == (isAsked ? 1 : 0))
  }

  @Test("end when the kernel has not seen them either")
  func silentEverywhere() {
    var bench = Bench(Self.map)
    FlowTests.open(&bench)
    let begin = bench.now
    bench.now += 240_001
    let mayGoOn = bench.agent.settle(Self.flow, lastSeen: begin, now: bench.now)
    #expect(!mayGoOn)
    bench.agent.sweep(now: bench.now, budget: 2_048)
    #expect(bench.agent.counters.flows.live == 0)
  }

  @Test("that nobody takes are told later, and none is lost")
  func crowd() {
    var bench = Bench(Self.map, flowCapacity: 16_384)
    for port in 1...3_000 as ClosedRange<UInt16> { FlowTests.open(&bench, from: port) }
    var told = Set(Self.changes(&bench).map(\.flow.remotePort))
    #expect(told.count == 1_024)
    while told.count < 3_000 {
      let before = told.count
      for port in 1...3_000 as ClosedRange<UInt16> { _ = bench.inbound(FlowTests.packet(0x10, from: port)) }
      told.formUnion(Self.changes(&bench).map(\.flow.remotePort))
      guard told.count > before else { break }
    }
    #expect(told.count == 3_000)
    for port in 1...3_000 as ClosedRange<UInt16> { _ = bench.inbound(FlowTests.packet(0x04, from: port)) }
    var ended = Set<UInt16>()
    for _ in 0..<3 {
      ended.formUnion(Self.changes(&bench).filter { $0.kind == .ended }.map(\.flow.remotePort))
      bench.agent.sweep(now: bench.now, budget: 32_768)
    }
    #expect(ended.count == 3_000)
  }

  @Test("are not evicted by a flood")
  func flood() {
    var bench = Bench(Self.map, flowCapacity: 64)
    FlowTests.open(&bench)
    bench.now += 300_000
    for port in 1...2_000 as ClosedRange<UInt16> { _ = bench.inbound(FlowTests.packet(0x02, from: port)) }
    let mayGoOn = bench.agent.settle(Self.flow, lastSeen: bench.now, now: bench.now)
    #expect(mayGoOn)
  }

  @Test("of an agent before this one are taken over")
  func restored() {
    var bench = Bench(Self.map)
    let isKnown = bench.agent.restore(Self.flow, lastSeen: bench.now - 1_000, now: bench.now)
    #expect(isKnown)
    #expect(bench.outbound(FlowTests.answer(0x10)).tuple.source == vip)
    #expect(Self.changes(&bench).isEmpty)
    _ = bench.inbound(FlowTests.packet(0x04))
    #expect(Self.changes(&bench) == [FlowChange(.ended, Self.flow)])
  }

  @Test("of an agent before this one are refused when the map has changed")
  func notRestored() {
    var bench = Bench(Self.map)
    var others = [Self.flow, Self.flow, Self.flow]
    others[0].backendPort = 8081
    others[1].vip = vip2
    others[2].machine = 7
    for other in others {
      let isKnown = bench.agent.restore(other, lastSeen: bench.now, now: bench.now)
      #expect(!isKnown)
    }
  }

  @Test("whose endpoint has gone are taken back")
  func gone() {
    var bench = Bench(Self.map)
    FlowTests.open(&bench)
    _ = Self.changes(&bench)
    bench.agent.adopt(Bench.map(machines: Self.map.machines, endpoints: []))
    bench.agent.sweep(now: bench.now, budget: 2_048)
    #expect(Self.changes(&bench) == [FlowChange(.ended, Self.flow)])
  }
}
