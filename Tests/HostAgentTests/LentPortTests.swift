import Dataplane
import HostAgent
import Testing
import Wire

@Suite("Lent connections of a VM")
struct LentPortTests {
  static func known(_ fate: Fate, _ proto: IPProtocol = .tcp) -> KnownFlow {
    KnownFlow(
      machine: 3, locator: locator1, dip: dip, vip: vip, vipPort: Bench.port(fate), backendPort: 5000,
      remote: client, remotePort: 443, proto: proto)
  }

  @Test("are told once when they are established, and once when they end")
  func life() {
    var bench = Bench(LentFlowTests.map)
    bench.lease(1)
    let first = bench.outbound(Bench.sent().bytes)
    _ = bench.inbound(Bench.answer(first))
    #expect(bench.changes().isEmpty)
    _ = bench.outbound(Bench.sent(.tcp, 0x10).bytes)
    #expect(bench.changes() == [FlowChange(.known, Self.known(first))])
    _ = bench.outbound(Bench.sent(.tcp, 0x18).bytes)
    _ = bench.outbound(Bench.sent(.tcp, 0x11).bytes)
    #expect(bench.changes().isEmpty)
    _ = bench.inbound(Bench.answer(first, 0x11))
    #expect(bench.changes() == [FlowChange(.ended, Self.known(first))])
    let datagram = bench.outbound(Bench.sent(.udp).bytes)
    _ = bench.inbound(Bench.answer(datagram))
    #expect(bench.changes() == [FlowChange(.known, Self.known(datagram, .udp))])
    let echo = bench.outbound(Bench.sent(.icmp).bytes)
    _ = bench.inbound(Bench.answer(echo))
    #expect(bench.changes().isEmpty)
  }

  @Test("live as long as the kernel sees them", arguments: [false, true])
  func silence(isSeen: Bool) {
    var bench = Bench(LentFlowTests.map)
    bench.lease(1)
    let flow = Self.known(bench.establish())
    _ = bench.changes()
    let begin = bench.now
    bench.now += 240_001
    bench.agent.sweep(now: bench.now, budget: 4_096)
    #expect(bench.changes() == [FlowChange(.silent, flow)])
    let mayGoOn = bench.agent.settle(flow, lastSeen: isSeen ? begin + 100_000 : nil, now: bench.now)
    #expect(mayGoOn == isSeen)
    bench.agent.sweep(now: bench.now, budget: 4_096)
    #expect(bench.agent.portStatus(3).flows == (isSeen ? 1 : 0))
    #expect(bench.changes().isEmpty)
  }

  @Test("are taken back before a range that is withdrawn counts as ended, however many they are")
  func withdraw() {
    var bench = Bench(LentFlowTests.map, flowCapacity: 8_192)
    bench.lease(1)
    for number in 0..<2_500 {
      _ = bench.establish(to: IPv4Address(number: 0xc000_0200 + UInt32(number)))
      while bench.agent.takeChange() != nil {}
    }
    var isOver = bench.agent.withdraw(Bench.range(0), machine: 3)
    #expect(!isOver && bench.agent.isEndingRanges == true)
    let early = bench.agent.lease(Bench.range(0), to: 3, now: bench.now)
    #expect(early == .stillEnding)
    #expect(bench.outbound(Bench.sent(.tcp, 0x18).bytes).isTransmitted == false)
    var ended = 0
    while !isOver {
      ended += bench.changes().filter { $0.kind == .ended }.count
      isOver = bench.agent.withdraw(Bench.range(0), machine: 3)
    }
    ended += bench.changes().count
    let late = bench.agent.lease(Bench.range(0), to: 3, now: bench.now)
    #expect(late == .made)
    #expect(ended == 2_500 && bench.agent.isEndingRanges == false && bench.agent.portStatus(3).flows == 0)
  }

  @Test("of a VM that is gone are taken back by sweeps")
  func machineGone() {
    var bench = Bench(LentFlowTests.map, flowCapacity: 8_192)
    bench.lease(1)
    for number in 0..<1_500 {
      _ = bench.establish(to: IPv4Address(number: 0xc000_0200 + UInt32(number)))
      while bench.agent.takeChange() != nil {}
    }
    bench.agent.adopt(
      Bench.map(machines: [.init(index: 7, locator: locator2, dip: dip, mtu: 1480)], endpoints: []))
    #expect(bench.agent.isEndingRanges == true)
    var ended = bench.changes()
    bench.agent.sweep(now: bench.now, budget: 64)
    ended += bench.changes()
    #expect(ended.count == 1_500 && bench.agent.isEndingRanges == false)
    #expect(ended.allSatisfy { $0.kind == .ended && $0.flow.locator == locator1 && $0.flow.machine == 3 })
    #expect(Set(ended.map(\.flow.inboundKey)).count == 1_500)
  }

  @Test(
    "of an agent before this one are taken over when their range is leased",
    arguments: [IPProtocol.tcp, .udp])
  func restored(proto: IPProtocol) {
    var bench = Bench(LentFlowTests.map)
    var flow = KnownFlow(
      machine: 3, locator: locator1, dip: dip, vip: vip, vipPort: 1026, backendPort: 5000, remote: client,
      remotePort: 443, proto: proto)
    var isKnown = bench.agent.restore(flow, lastSeen: bench.now, now: bench.now)
    #expect(!isKnown)
    bench.lease(1)
    isKnown = bench.agent.restore(flow, lastSeen: bench.now, now: bench.now)
    #expect(isKnown)
    #expect(Bench.port(bench.outbound(Bench.sent(proto, 0x18).bytes)) == 1026)
    // The same port towards the same remote end cannot be another's.
    flow.backendPort = 5001
    isKnown = bench.agent.restore(flow, lastSeen: bench.now, now: bench.now)
    #expect(!isKnown)
    flow.vipPort = 1040
    isKnown = bench.agent.restore(flow, lastSeen: bench.now, now: bench.now)
    #expect(!isKnown)
  }

  @Test("of an agent before this one are taken over though their range was recalled, and others go back")
  func recalled() {
    var bench = Bench(LentFlowTests.map)
    let flow = KnownFlow(
      machine: 3, locator: locator1, dip: dip, vip: vip, vipPort: 1026, backendPort: 5000, remote: client,
      remotePort: 443, proto: .tcp)
    bench.lease(2)
    for number in 0..<2 { bench.agent.recall(Bench.range(number), machine: 3, now: bench.now) }
    let isKnown = bench.agent.restore(flow, lastSeen: bench.now, now: bench.now)
    #expect(isKnown)
    bench.wait(1_000)
    #expect(bench.returned() == [Bench.range(1)])
    #expect(Bench.port(bench.outbound(Bench.sent(.tcp, 0x18).bytes)) == 1026)
  }
}
