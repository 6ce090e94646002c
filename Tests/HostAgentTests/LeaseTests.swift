import Dataplane
import HostAgent
import Testing
import Wire

@Suite("Leased ranges")
struct LeaseTests {
  @Test("and their connections and blocks are records of a cache line each")
  func strides() {
    #expect(HostAgent.portRecordByteCounts == [64, 64, 64])
  }

  @Test("are asked for once, again after 5 s without an answer, and on a new stream")
  func requests() {
    var bench = Bench()
    for port in 1...5 as ClosedRange<UInt16> { _ = bench.outbound(Bench.sent(from: port).bytes) }
    #expect(bench.requests() == [3])
    #expect(bench.requests().isEmpty)
    bench.agent.repeatRequests()
    #expect(bench.requests() == [3])
    bench.wait(2_000)
    _ = bench.outbound(Bench.sent(from: 6).bytes)
    bench.wait(2_500)
    #expect(bench.requests().isEmpty)
    bench.wait(500)
    #expect(bench.requests() == [3])
    #expect(bench.agent.portStatus(3).requests == 1)
    // Without packets that wait, it is forgotten, and the next packet asks.
    bench.wait(6_000)
    #expect(bench.requests().isEmpty && bench.agent.portStatus(3).held == 0)
    _ = bench.outbound(Bench.sent(from: 7).bytes)
    #expect(bench.requests() == [3])
  }

  @Test(
    "that are refused end the wait, and packets are dropped for as long as that says", arguments: Bench.times)
  func refused(begin: UInt32) {
    var bench = Bench()
    bench.now = begin
    for port in 1...5 as ClosedRange<UInt16> { _ = bench.outbound(Bench.sent(from: port).bytes) }
    _ = bench.requests()
    bench.agent.refuse(machine: 3, now: bench.now, retryAfterMilliseconds: 1_000)
    #expect(bench.agent.takeHeld() == nil)
    #expect(bench.agent.counters.dropped(.portsExhausted) == 5)
    #expect(bench.outbound(Bench.sent(from: 6).bytes).reason == .portsExhausted)
    let status = bench.agent.portStatus(3)
    #expect(status.refused == 1 && status.dropped == 6 && status.held == 0)
    bench.now &+= 1_000
    #expect(bench.outbound(Bench.sent(from: 6).bytes).slot != nil)
    #expect(bench.requests() == [3])
    bench.agent.refuse(machine: 3, now: bench.now, retryAfterMilliseconds: 60_000, reason: .noSNAT)
    #expect(bench.outbound(Bench.sent(from: 7).bytes).reason == .noSNAT)
    bench.lease(1)
    #expect(bench.outbound(Bench.sent(from: 7).bytes).isTransmitted)
  }

  @Test("that were refused long ago are not so again when the clock has wrapped")
  func refusedBeforeWrap() {
    var bench = Bench()
    bench.agent.refuse(machine: 3, now: bench.now, retryAfterMilliseconds: 1_000)
    bench.wait(1_000)
    bench.now &+= 1 << 31
    #expect(bench.outbound(Bench.sent().bytes).slot != nil)
  }

  @Test("are waited for by 32 packets of a VM, 256 in all, of 2,048 bytes, for 3 s")
  func holdLimits() {
    let machines = (0..<10).map {
      HostMap.Machine(index: $0, locator: IPv4Address(10, 64, 2, UInt8($0)), dip: dip, mtu: 1480)
    }
    var bench = Bench(Bench.map(machines: machines, endpoints: []))
    var slots = Set<Int>()
    for machine in 0..<8 as Range<UInt32> {
      for port in 1...32 as ClosedRange<UInt16> {
        let fate = bench.outbound(Bench.sent(from: port).bytes, from: machine)
        if let slot = fate.slot { slots.insert(slot) }
        #expect(bench.outbound(Bench.sent(from: port).bytes, from: machine).slot == fate.slot, "again")
      }
      #expect(bench.outbound(Bench.sent(from: 33).bytes, from: machine).reason == .holdFull)
    }
    #expect(slots == Set(0..<256) && HostAgent.heldSlots == 256)
    #expect(bench.outbound(Bench.sent().bytes, from: 8).reason == .holdFull)
    bench.wait(3_000)
    #expect(bench.agent.counters.dropped(.heldTooLong) == 0)
    bench.wait(1)
    #expect(bench.agent.counters.dropped(.heldTooLong) == 256)
    var big = Bench.sent(.udp)
    big.payload = [UInt8](repeating: 0, count: 2_021)
    #expect(bench.outbound(big.bytes, from: 8).reason == .holdFull)
    big.payload.removeLast()
    #expect(bench.outbound(big.bytes, from: 8).slot != nil)
    // What counts is how much was received, whatever the header says.
    let padding = [UInt8](repeating: 0, count: 2_100)
    #expect(bench.outbound(Bench.sent().bytes + padding, from: 8).reason == .holdFull)
    #expect(bench.outbound(Bench.sent().bytes + padding.prefix(2_008), from: 8).slot != nil)
  }

  @Test("are asked for by packets that cannot wait, too")
  func requestWithoutSlot() {
    var bench = Bench()
    var big = Bench.sent(.udp)
    big.payload = [UInt8](repeating: 0, count: 2_021)
    for _ in 0..<3 { #expect(bench.outbound(big.bytes).reason == .holdFull) }
    #expect(bench.requests() == [3])
    #expect(bench.agent.portStatus(3).requests == 1 && bench.agent.portStatus(3).held == 0)
    bench.lease(1)
    #expect(bench.outbound(big.bytes).isTransmitted)
  }

  @Test("let held packets go in order; what does not fit waits on, but not longer than 3 s in all")
  func heldAgain() {
    var bench = Bench()
    var packets: [Int: [UInt8]] = [:]
    for port in 1...20 as ClosedRange<UInt16> {
      let bytes = Bench.sent(from: port).bytes
      if let slot = bench.outbound(bytes).slot { packets[slot] = bytes }
    }
    bench.wait(2_000)
    bench.lease(1)
    var sent: [UInt16] = []
    while let held = bench.agent.takeHeld() {
      guard let bytes = packets[held.slot] else { continue }
      let fate = bench.outbound(bytes)
      if fate.isTransmitted { sent.append(Reference.word(bytes, 20)) }
      if let slot = fate.slot { packets[slot] = bytes }
    }
    #expect(sent == Array(1...8))
    #expect(bench.agent.portStatus(3).held == 12 && bench.requests() == [3])
    bench.wait(1_001)
    #expect(bench.agent.portStatus(3).held == 0 && bench.agent.counters.dropped(.heldTooLong) == 12)
  }

  @Test("that are idle go back, all but one, until they are withdrawn", arguments: Bench.times)
  func idle(begin: UInt32) {
    var bench = Bench()
    bench.now = begin
    bench.lease(4)
    for port in 0..<32 as Range<UInt16> { _ = bench.outbound(Bench.sent(from: 5000 + port).bytes) }
    _ = bench.outbound(Bench.sent(.udp).bytes)
    bench.wait(10_500)
    bench.wait(59_000)
    #expect(bench.returned().isEmpty)
    bench.wait(3_000)
    let back = bench.returned()
    #expect(back.count == 3)
    bench.wait(1_000)
    #expect(bench.returned().isEmpty)
    bench.wait(5_000)
    #expect(bench.returned() == back)
    bench.agent.repeatReturns()
    #expect(bench.returned() == back)
    for range in back {
      let isOver = bench.agent.withdraw(range, machine: 3)
      #expect(isOver)
    }
    bench.agent.repeatReturns()
    #expect(bench.returned().isEmpty && bench.agent.portStatus(3).ranges == 1)
    bench.wait(200_000)
    #expect(bench.returned().isEmpty)
    // A port of a range that went back is not used, and a late packet to it is told apart.
    for port in 0..<8 as Range<UInt16> {
      #expect(bench.outbound(Bench.sent(from: port + 1).bytes).isTransmitted)
    }
    #expect(bench.outbound(Bench.sent(from: 9).bytes).slot != nil)
  }

  @Test("that are recalled take no new flow, and go back with their last")
  func recall() {
    var bench = Bench()
    bench.lease(2)
    let old = bench.establish()
    let range = SNATRange(vip: vip, holding: Bench.port(old))
    bench.agent.recall(range, machine: 3, now: bench.now)
    for port in 0..<8 as Range<UInt16> {
      let fate = bench.outbound(Bench.sent(from: 6000 + port).bytes)
      #expect(SNATRange(vip: vip, holding: Bench.port(fate)) != range)
    }
    #expect(bench.outbound(Bench.sent(from: 7000).bytes).slot != nil)
    #expect(bench.outbound(Bench.sent(.tcp, 0x18).bytes).tuple == old.tuple)
    #expect(bench.inbound(Bench.answer(old, 0x18)).machine == 3)
    #expect(bench.returned().isEmpty)
    _ = bench.inbound(Bench.answer(old, 0x14))
    bench.wait(11_000)
    #expect(bench.returned() == [range])
    #expect(bench.inbound(Bench.answer(old, 0x18)).reason == .recalledPort)
    let isOver = bench.agent.withdraw(range, machine: 3)
    #expect(isOver)
    #expect(bench.inbound(Bench.answer(old, 0x18)).reason == .noEndpoint)
  }

  @Test("that are recalled go back after 240 s at the latest; leased again they stay")
  func recallBound() {
    var bench = Bench()
    bench.lease(1)
    let old = bench.establish()
    bench.agent.recall(Bench.range(0), machine: 3, now: bench.now)
    bench.lease(1)
    #expect(bench.outbound(Bench.sent(from: 6000).bytes).isTransmitted)
    bench.agent.recall(Bench.range(0), machine: 3, now: bench.now)
    for _ in 0..<23 {
      bench.wait(10_000)
      #expect(bench.outbound(Bench.sent(.tcp, 0x18).bytes).tuple == old.tuple)
    }
    #expect(bench.returned().isEmpty)
    bench.wait(11_000)
    #expect(bench.returned() == [Bench.range(0)])
    #expect(bench.outbound(Bench.sent(.tcp, 0x18).bytes).reason == .noFlow)
    #expect(bench.agent.portStatus(3).flows == 0)
  }

  @Test("that are recalled leave a UDP port its old flows, and give its new ones another port")
  func recallMapping() {
    var bench = Bench()
    bench.lease(1)
    let old = bench.outbound(Bench.sent(.udp).bytes)
    bench.lease(1, from: 1)
    bench.agent.recall(Bench.range(0), machine: 3, now: bench.now)
    let new = bench.outbound(Bench.sent(.udp, to: router).bytes)
    #expect(new.isTransmitted && Bench.port(new) >= 1032)
    #expect(bench.outbound(Bench.sent(.udp).bytes).tuple == old.tuple)
    #expect(bench.inbound(Bench.answer(old)).tuple.destinationPort == 5000)
    #expect(bench.inbound(Bench.answer(new)).tuple.destinationPort == 5000)
    bench.wait(61_000)
    #expect(bench.returned() == [Bench.range(0)])
    #expect(bench.agent.portStatus(3).flows == 0)
  }

  @Test("that are withdrawn in use end their flows at once", arguments: ConnectTests.protocols)
  func withdraw(proto: IPProtocol) {
    var bench = Bench()
    bench.lease(1)
    let fate = bench.outbound(Bench.sent(proto).bytes)
    let isOver = bench.agent.withdraw(Bench.range(0), machine: 3)
    #expect(isOver && bench.agent.isEndingRanges == false)
    #expect(bench.inbound(Bench.answer(fate)).reason == .noEndpoint)
    #expect(bench.outbound(Bench.sent(proto).bytes).slot != nil)
    #expect(bench.agent.portStatus(3).portsInUse == 0)
    let isGone = bench.agent.withdraw(Bench.range(0), machine: 3)
    #expect(isGone)
  }

  @Test("end with their VM, and with what waits")
  func machineGone() {
    var bench = Bench()
    bench.lease(3)
    for port in 1...30 as ClosedRange<UInt16> { _ = bench.outbound(Bench.sent(from: port).bytes) }
    #expect(bench.agent.portStatus(3).held == 6)
    bench.agent.adopt(
      Bench.map(machines: [.init(index: 7, locator: locator2, dip: dip, mtu: 1480)], endpoints: []))
    #expect(bench.agent.counters.dropped(.noSNAT) == 6)
    let status = bench.agent.portStatus(3)
    #expect(status.ranges == 0 && status.flows == 0 && status.portsInUse == 0 && status.held == 0)
    #expect(bench.requests().isEmpty)
    bench.agent.adopt(Bench.map())
    #expect(bench.agent.portStatus(3).dropped == 0)
    let outcome = bench.agent.lease(Bench.range(0), to: 7, now: bench.now)
    #expect(outcome == .made)
  }
}
