import Dataplane
import HostAgent
import Testing
import Wire

@Suite("Connections of a VM")
struct ConnectTests {
  static let protocols: [IPProtocol] = [.tcp, .udp, .icmp]

  @Test("wait for ports, leave by the VIP, and the answer finds the VM", arguments: protocols, [false, true])
  func life(proto: IPProtocol, isPartial: Bool) throws {
    var bench = Bench()
    let isPartial = isPartial && proto != .icmp
    let packet = Bench.sent(proto, isPartial: isPartial)
    let offload = isPartial ? packet.offload : Offload()
    let slot = try #require(bench.outbound(packet.bytes, offload: offload).slot)
    #expect(bench.requests() == [3])
    #expect(bench.agent.portStatus(3).held == 1)
    bench.now += 5
    bench.lease(1)
    let held = bench.agent.takeHeld()
    #expect(held?.machine == 3 && held?.slot == slot)
    #expect(bench.agent.takeHeld() == nil)
    let fate = bench.outbound(packet.bytes, offload: offload)
    #expect(fate.isTransmitted && fate.tuple.source == vip && fate.tuple.destination == client)
    #expect((1024...1031).contains(Bench.port(fate)))
    #expect(Reference.faults(fate.bytes, isPartial: isPartial).isEmpty)
    let back = bench.inbound(Bench.answer(fate))
    #expect(back.machine == 3 && back.tuple.destination == dip && back.tuple.source == client)
    #expect(Reference.faults(back.bytes).isEmpty)
    #expect(proto == .icmp ? Reference.word(back.bytes, 24) == 5000 : back.tuple.destinationPort == 5000)
    let status = bench.agent.portStatus(3)
    #expect(status.ranges == 1 && status.portsInUse == 1 && status.flows == 1 && status.held == 0)
    #expect(status.requests == 1 && status.refused == 0 && status.dropped == 0)
    #expect(status.waitMicrosecondsP50 == 6_000 && status.waitMicrosecondsP99 == 6_000)
    #expect(bench.outbound(packet.bytes, offload: offload).tuple == fate.tuple)
  }

  @Test("clamp the segment size in both directions")
  func segmentSize() {
    var bench = Bench()
    bench.lease(1)
    let fate = bench.outbound(Bench.sent(options: [2, 4, 0x05, 0xb4]).bytes)
    #expect(Array(fate.bytes[40...]) == [2, 4, 0x05, 0xa0])
    let back = bench.inbound(Bench.answer(fate, options: [2, 4, 0xff, 0xff]))
    #expect(Array(back.bytes[40...]) == [2, 4, 0x05, 0xa0])
    #expect(Reference.faults(fate.bytes).isEmpty && Reference.faults(back.bytes).isEmpty)
  }

  @Test("share a port towards different remote ends, and no further", arguments: [IPProtocol.tcp, .icmp])
  func reuse(proto: IPProtocol) {
    var bench = Bench()
    bench.lease(1)
    var seen = Set<FiveTuple>()
    for remote in 0..<4 as Range<UInt8> {
      for port in 0..<8 as Range<UInt16> {
        let packet = Bench.sent(proto, from: 5000 + port, to: IPv4Address(192, 0, 2, remote))
        let fate = bench.outbound(packet.bytes)
        seen.insert(
          FiveTuple(
            source: fate.tuple.source, destination: fate.tuple.destination, sourcePort: Bench.port(fate),
            destinationPort: 0, proto: proto))
      }
    }
    #expect(seen.count == 32)
    #expect(bench.outbound(Bench.sent(proto, from: 6000, to: IPv4Address(192, 0, 2, 1)).bytes).slot != nil)
    #expect(bench.agent.portStatus(3).portsInUse == 8 && bench.agent.portStatus(3).flows == 32)
  }

  @Test("of UDP have one leased port towards everybody, and hear only whom they have spoken to")
  func cone() {
    var bench = Bench()
    bench.lease(1)
    let remotes = (1...3).map { IPv4Address(192, 0, 2, UInt8($0)) }
    let fates = remotes.map { bench.outbound(Bench.sent(.udp, to: $0).bytes) }
    #expect(Set(fates.map(Bench.port)).count == 1)
    for fate in fates { #expect(bench.inbound(Bench.answer(fate)).machine == 3) }
    var other = Bench.answer(fates[0])
    other.replaceSubrange(32..<36, with: [192, 0, 2, 9])
    other.replaceSubrange(30..<32, with: [0, 0])
    other.replaceSubrange(30..<32, with: (~Reference.sum(other[20..<40])).octets)
    #expect(bench.inbound(other).reason == .unsolicited)
    #expect(bench.agent.counters.dropped(.unsolicited) == 1)
    var ports = Set(fates.map(Bench.port))
    for port in 1..<8 as Range<UInt16> {
      ports.insert(Bench.port(bench.outbound(Bench.sent(.udp, from: 5000 + port).bytes)))
    }
    #expect(ports.count == 8)
    #expect(bench.outbound(Bench.sent(.udp, from: 6000, to: router).bytes).slot != nil)
    bench.wait(61_000)
    #expect(bench.agent.portStatus(3).portsInUse == 0)
    #expect(bench.outbound(Bench.sent(.udp, from: 6001, to: router).bytes).isTransmitted)
  }

  @Test("of UDP are not disturbed by datagrams to 0.0.0.0:0, nor by errors about one")
  func mappingIsHidden() {
    var bench = Bench()
    bench.lease(1)
    let first = bench.outbound(Bench.sent(.udp).bytes)
    let nowhere = Bench.sent(.udp, to: .any, 0)
    #expect(bench.outbound(nowhere.bytes).reason == .transportHeader)
    bench.wait(40_000)
    #expect(bench.outbound(Bench.sent(.udp).bytes).tuple == first.tuple)
    bench.wait(21_000)
    #expect(bench.outbound(nowhere.bytes).reason == .transportHeader)
    #expect(bench.outbound(Bench.sent(.udp, to: .any, 1).bytes).reason == .noFlow)
    var before = Packet(
      source: vip, destination: .any, proto: .udp, sourcePort: Bench.port(first), destinationPort: 0)
    let errorIn = Packet.error(from: router, to: vip, quoting: before.bytes)
    #expect(bench.inbound(Packet.wrapped(errorIn)).reason == .noFlow)
    before = Packet(source: .any, destination: dip, proto: .udp, sourcePort: 0, destinationPort: 5000)
    let errorOut = Packet.error(from: dip, to: .any, quoting: before.bytes)
    #expect(bench.outbound(errorOut).reason == .noFlow)
    let status = bench.agent.portStatus(3)
    #expect(status.flows == 1 && status.portsInUse == 1)
    #expect(bench.inbound(Bench.answer(first)).machine == 3)
    #expect(bench.outbound(Bench.sent(.udp, to: router).bytes).tuple.sourcePort == Bench.port(first))
    bench.wait(62_000)
    #expect(bench.agent.portStatus(3).flows == 0 && bench.agent.portStatus(3).portsInUse == 0)
  }

  /// Flags out and in after the handshake, how long the port stays taken, and what it is called.
  static let ends: [(String, [(Bool, UInt8)], UInt32)] = [
    ("established", [], 240_000), ("reset by the VM", [(true, 0x04)], 10_000),
    ("reset by the remote end", [(false, 0x04)], 10_000),
    ("closed by both", [(true, 0x11), (false, 0x11), (true, 0x10)], 10_000),
    ("closed by one", [(true, 0x11), (false, 0x10)], 240_000),
  ]

  @Test("keep their port from the same remote end until they are over", arguments: ends, Bench.times)
  func guardTime(_ end: (String, [(Bool, UInt8)], UInt32), begin: UInt32) {
    let (name, segments, milliseconds) = end
    var bench = Bench()
    bench.now = begin
    bench.lease(1)
    let fates = (0..<8).map { bench.establish(from: 5000 + $0) }
    for (isOut, flags) in segments {
      for (index, fate) in fates.enumerated() {
        let port = 5000 + UInt16(index)
        let result =
          isOut
          ? bench.outbound(Bench.sent(.tcp, flags, from: port).bytes)
          : bench.inbound(Bench.answer(fate, flags))
        #expect(result.reason == nil && result.slot == nil)
      }
    }
    bench.wait(milliseconds - 1_000)
    #expect(bench.outbound(Bench.sent(from: 7000).bytes).slot != nil, "\(name)")
    bench.wait(2_001)
    #expect(bench.outbound(Bench.sent(from: 7001).bytes).isTransmitted, "\(name)")
  }

  @Test("that are not answered keep it for 10 s; one that begins anew keeps its own")
  func halfOpen() {
    var bench = Bench()
    bench.lease(1)
    let first = bench.outbound(Bench.sent().bytes)
    _ = bench.inbound(Bench.answer(first, 0x14))
    #expect(bench.outbound(Bench.sent().bytes).tuple == first.tuple)
    bench.wait(9_000)
    #expect(bench.inbound(Bench.answer(first)).machine == 3)
    bench.wait(11_000)
    #expect(bench.inbound(Bench.answer(first)).reason == .unsolicited)
    #expect(bench.outbound(Bench.sent(.tcp, 0x10).bytes).reason == .noFlow)
  }

  @Test("that live briefly give way when there is no room, the one that was silent for longest first")
  func oldestGivesWay() {
    let machines = (0..<3).map {
      HostMap.Machine(index: $0, locator: IPv4Address(10, 64, 2, UInt8($0)), dip: dip, mtu: 1480)
    }
    var bench = Bench(Bench.map(machines: machines, endpoints: []), flowCapacity: 16)
    for machine in 0..<3 as Range<UInt32> { bench.lease(1, from: Int(machine), to: machine) }
    for port in 1...5 as ClosedRange<UInt16> {
      for machine in 0..<3 as Range<UInt32> {
        #expect(bench.outbound(Bench.sent(from: port).bytes, from: machine).isTransmitted)
      }
    }
    bench.now &+= 2_000
    let kept = bench.outbound(Bench.sent(from: 1).bytes, from: 0)
    #expect(bench.outbound(Bench.sent(from: 6).bytes, from: 2).isTransmitted)
    #expect(bench.agent.portStatus(0).flows == 5 && bench.agent.portStatus(1).flows == 4)
    #expect(bench.outbound(Bench.sent(from: 1).bytes, from: 0).tuple == kept.tuple)
  }

  /// Where nothing can come back from.
  static let nowhere: [IPv4Address] = [
    IPv4Address(224, 0, 0, 251), IPv4Address(255, 255, 255, 255), IPv4Address(127, 0, 0, 1),
    IPv4Address(0, 1, 2, 3), IPv4Address(169, 254, 169, 254),
  ]

  @Test("to where nobody answers take no port", arguments: nowhere, protocols)
  func leadsNowhere(remote: IPv4Address, proto: IPProtocol) {
    var bench = Bench()
    bench.lease(1)
    #expect(bench.outbound(Bench.sent(proto, to: remote).bytes).reason == .noFlow)
    #expect(bench.requests().isEmpty && bench.agent.portStatus(3).flows == 0)
  }

  @Test("do not collide with those of its endpoints")
  func endpoints() {
    var bench = Bench()
    bench.lease(1)
    // From the port that serves, to a client's port: the VM's own connection.
    let own = bench.outbound(Bench.sent(from: 8080, to: client, 40_000).bytes)
    #expect(own.isTransmitted && Bench.port(own) != 80)
    #expect(bench.inbound(Packet.wrapped(Packet(flags: 0x02).bytes)).reason == .flowConflict)
    _ = bench.inbound(Bench.answer(own))
    let next = bench.outbound(Bench.sent(.tcp, 0x10, from: 8080, to: client, 40_000).bytes)
    #expect(next.tuple == own.tuple)
    // A client's connection is the endpoint's, whatever is leased.
    #expect(bench.inbound(Packet.wrapped(Packet(sourcePort: 40_001, flags: 0x02).bytes)).machine == 3)
    let reply = bench.outbound(Bench.sent(.tcp, 0x12, from: 8080, to: client, 40_001).bytes)
    #expect(reply.tuple.sourcePort == 80)
    // A closed one gives way.
    _ = bench.outbound(Bench.sent(.tcp, 0x04, from: 8080, to: client, 40_000).bytes)
    #expect(bench.inbound(Packet.wrapped(Packet(flags: 0x02).bytes)).machine == 3)
  }

  @Test("ICMP errors about them reach the VM in its own words", arguments: protocols)
  func errorsIn(proto: IPProtocol) {
    var bench = Bench()
    bench.lease(1)
    let packet = Bench.sent(proto)
    let fate = bench.outbound(packet.bytes)
    let error = Packet.error(from: router, to: vip, type: 11, code: 0, quoting: fate.bytes)
    let back = bench.inbound(Packet.wrapped(error))
    #expect(back.machine == 3 && Reference.faults(back.bytes).isEmpty)
    #expect(Reference.address(back.bytes, 16) == dip)
    #expect(Array(back.bytes[28...]) == Array(packet.bytes.prefix(28)))
    var wrong = fate.bytes
    wrong[16] ^= 1
    wrong[17] ^= 1
    let stray = bench.inbound(Packet.wrapped(Packet.error(from: router, to: vip, quoting: wrong)))
    #expect(stray.reason == .noFlow)
  }

  @Test("ICMP errors of the VM about them leave in the words of the remote end", arguments: protocols)
  func errorsOut(proto: IPProtocol) {
    var bench = Bench()
    bench.lease(1)
    let fate = bench.outbound(Bench.sent(proto).bytes)
    let answer = Bench.answer(fate)
    let received = bench.inbound(answer).bytes
    let error = bench.outbound(Packet.error(from: dip, to: client, code: 3, quoting: received, count: 64))
    #expect(error.isTransmitted && Reference.faults(error.bytes).isEmpty)
    #expect(Reference.address(error.bytes, 12) == vip)
    #expect(Array(error.bytes[28...]) == Array(answer[20...]))
  }

  @Test("of another VM's range are nobody's")
  func foreign() {
    var bench = Bench()
    bench.lease(1)
    let fate = bench.outbound(Bench.sent().bytes)
    var answer = Bench.answer(fate)
    answer.replaceSubrange(0..<20, with: Packet.wrapped([], to: locator2)[0..<20])
    answer.replaceSubrange(2..<4, with: UInt16(answer.count).octets)
    answer.replaceSubrange(10..<12, with: [0, 0])
    answer.replaceSubrange(10..<12, with: (~Reference.sum(answer[0..<20])).octets)
    #expect(bench.inbound(answer).reason == .noEndpoint)
    let ofAnother = bench.agent.lease(Bench.range(0), to: 7, now: bench.now)
    #expect(ofAnother == .noRoom)
    let toNobody = bench.agent.lease(Bench.range(1), to: 4, now: bench.now)
    #expect(toNobody == .noRoom)
  }
}
