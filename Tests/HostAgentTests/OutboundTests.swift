import Dataplane
import HostAgent
import Testing
import Wire

@Suite("Outbound")
struct OutboundTests {
  /// What the VM answers to `Packet()`.
  static func reply(
    to source: IPv4Address = client, _ flags: UInt8 = 0x10, proto: IPProtocol = .tcp, options: [UInt8] = [],
    isPartial: Bool = false
  ) -> Packet {
    Packet(
      source: dip, destination: source, proto: proto, sourcePort: proto == .tcp ? 8080 : 53,
      destinationPort: 40_000, flags: flags, options: options, payload: [1, 2, 3, 4, 5], isPartial: isPartial)
  }

  @Test("A reply leaves with the VIP it was asked by", arguments: [false, true])
  func translates(isPartial: Bool) {
    var bench = Bench()
    _ = bench.inbound(Packet.wrapped(Packet(flags: 0x02, payload: []).bytes))
    let reply = Self.reply(0x12, isPartial: isPartial)
    let fate = bench.outbound(reply.bytes, offload: reply.offload)
    #expect(fate.isTransmitted)
    #expect(
      fate.tuple
        == FiveTuple(source: vip, destination: client, sourcePort: 80, destinationPort: 40_000, proto: .tcp))
    #expect(Reference.faults(fate.bytes, isPartial: isPartial).isEmpty)
    #expect(fate.bytes[8] == 60, "the kernel, which routes the packet next, counts the hop")
    #expect(bench.agent.counters.machine(3).packetsOut == 1)
  }

  @Test("A datagram too", arguments: [(false, true), (true, true), (false, false)])
  func translatesDatagrams(isPartial: Bool, hasChecksum: Bool) {
    var bench = Bench()
    _ = bench.inbound(Packet.wrapped(Packet(proto: .udp, destinationPort: 53).bytes))
    var reply = Self.reply(proto: .udp, isPartial: isPartial)
    reply.hasChecksum = hasChecksum
    let fate = bench.outbound(reply.bytes, offload: reply.offload)
    #expect(fate.tuple.source == vip && fate.tuple.sourcePort == 53)
    #expect(Reference.faults(fate.bytes, isPartial: isPartial).isEmpty)
    #expect(hasChecksum || Reference.word(fate.bytes, 26) == 0)
  }

  @Test("A super-packet leaves whole")
  func superPacket() {
    var bench = Bench()
    _ = bench.inbound(Packet.wrapped(Packet().bytes))
    var reply = Self.reply(isPartial: true)
    reply.payload = [UInt8](repeating: 7, count: 64_000)
    let fate = bench.outbound(reply.bytes, offload: reply.offload(at: 20, size: 1440))
    #expect(fate.isTransmitted && fate.offload.gsoSize == 1440 && fate.offload.checksumStart == 20)
    #expect(Reference.faults(fate.bytes, isPartial: true).isEmpty)
  }

  @Test("An answer to a probe is the prober's")
  func probeAnswer() {
    var bench = Bench()
    let answer = Self.reply(to: HostAgent.probeSource, 0x12)
    #expect(bench.outbound(answer.bytes).isPassed)
    #expect(bench.agent.counters.probeAnswers == 1)
  }

  static let refusals: [(String, DropReason, [UInt8], UInt32)] = [
    ("nothing", .truncated, [], 3),
    ("router solicitation", .notIPv4, [0x60] + [UInt8](repeating: 0, count: 47), 3),
    (
      "another's address", .spoofedSource,
      Packet(source: IPv4Address(10, 0, 0, 12), destination: client).bytes, 3
    ),
    ("the VIP as its own", .spoofedSource, Packet(source: vip, destination: client).bytes, 3),
    (
      "to the prober, as another", .spoofedSource,
      Packet(source: vip, destination: HostAgent.probeSource).bytes, 3
    ),
    (
      "a connection of its own", .noSNAT,
      Packet(source: dip, destination: router, flags: 0x02, payload: []).bytes, 3
    ),
    (
      "a SYN from a served port", .noSNAT,
      Packet(source: dip, destination: router, sourcePort: 8080, flags: 0x02, payload: []).bytes, 3
    ),
    ("no flow, another port", .noFlow, Packet(source: dip, destination: router).bytes, 3),
    (
      "a datagram nobody asked for", .noSNAT,
      Packet(source: dip, destination: client, proto: .udp, sourcePort: 53).bytes, 3
    ),
    ("echo request", .noSNAT, Packet.ip(dip, router, .icmp, [8, 0, 0xf7, 0xff, 0, 0, 0, 0]), 3),
    ("fragment", .fragment, Packet(source: dip, fragmentWord: 0x2000).bytes, 3),
    (
      "IGMP", .unknownProtocol, Packet.ip(dip, IPv4Address(224, 0, 0, 22), IPProtocol(2), [0x22, 0, 0, 0]), 3
    ),
    ("a VM that is not there", .noFlow, Packet(source: dip).bytes, 4),
    ("a VM that cannot be", .noFlow, Packet(source: .any).bytes, 1023),
    (
      "a bad header checksum", .headerChecksum,
      {
        var bytes = Packet(source: dip).bytes
        bytes[10] ^= 1
        return bytes
      }(), 3
    ),
  ]

  @Test("A VM may not send anything else", arguments: refusals)
  func refused(_ name: String, _ reason: DropReason, _ bytes: [UInt8], _ machine: UInt32) {
    var bench = Bench()
    bench.agent.refuse(machine: 3, now: bench.now, retryAfterMilliseconds: 10_000, reason: .noSNAT)
    _ = bench.inbound(Packet.wrapped(Packet().bytes))
    #expect(bench.outbound(bytes, from: machine).reason == reason, "\(name)")
    #expect(bench.agent.counters.dropped(reason) == 1)
    #expect(bench.agent.counters.machine(machine).droppedOut == 1)
  }

  @Test("Another tenant's VM with the same DIP cannot use the flow")
  func tenantsAreApart() {
    var bench = Bench()
    _ = bench.inbound(Packet.wrapped(Packet().bytes))
    #expect(bench.outbound(Self.reply().bytes, from: 7).reason == .noFlow)
    #expect(bench.outbound(Self.reply().bytes, from: 3).isTransmitted)
  }
}

@Suite("Maximum segment size")
struct SegmentSizeTests {
  /// Options, and what becomes of them.
  static let rows: [(String, [UInt8], [UInt8])] = [
    ("lowered", [2, 4, 0x05, 0xb4], [2, 4, 0x05, 0xa0]),
    ("as it is", [2, 4, 0x05, 0xa0], [2, 4, 0x05, 0xa0]),
    ("never raised", [2, 4, 0x02, 0x18], [2, 4, 0x02, 0x18]),
    ("of a jumbo frame", [2, 4, 0xff, 0xff], [2, 4, 0x05, 0xa0]),
    ("at an odd place", [1, 2, 4, 0x05, 0xb4, 1, 1, 0], [1, 2, 4, 0x05, 0xa0, 1, 1, 0]),
    (
      "behind others", [8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 2, 4, 0xff, 0, 1, 1, 1, 0],
      [8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1, 2, 4, 0x05, 0xa0, 1, 1, 1, 0]
    ),
    ("twice", [2, 4, 0x05, 0xb4, 2, 4, 0x06, 0], [2, 4, 0x05, 0xa0, 2, 4, 0x05, 0xa0]),
    ("behind the end of options", [0, 2, 4, 0x05, 0xb4, 0, 0, 0], [0, 2, 4, 0x05, 0xb4, 0, 0, 0]),
    ("of a wrong length", [2, 3, 0x05, 0xb4], [2, 3, 0x05, 0xb4]),
    ("of length 0", [2, 0, 0x05, 0xb4], [2, 0, 0x05, 0xb4]),
    ("cut by the header's end", [1, 1, 2, 4], [1, 1, 2, 4]),
    ("none", [], []),
  ]

  @Test("of a SYN is", arguments: rows, [false, true])
  func inbound(_ row: (String, [UInt8], [UInt8]), isPartial: Bool) {
    var bench = Bench()
    let syn = Packet(flags: 0x02, options: row.1, payload: [], isPartial: isPartial)
    let fate = bench.inbound(Packet.wrapped(syn.bytes), offload: syn.offload(at: 40))
    #expect(Array(fate.bytes[40...]) == row.2, "\(row.0)")
    #expect(Reference.faults(fate.bytes, isPartial: isPartial).isEmpty, "\(row.0)")
  }

  @Test("of a SYN-ACK is", arguments: rows)
  func outbound(_ row: (String, [UInt8], [UInt8])) {
    var bench = Bench()
    _ = bench.inbound(Packet.wrapped(Packet(flags: 0x02, payload: []).bytes))
    var answer = OutboundTests.reply(0x12, options: row.1)
    answer.payload = []
    let fate = bench.outbound(answer.bytes)
    #expect(Array(fate.bytes[40...]) == row.2, "\(row.0)")
    #expect(Reference.faults(fate.bytes).isEmpty, "\(row.0)")
  }

  @Test("of a later segment is left alone")
  func later() {
    var bench = Bench()
    let fate = bench.inbound(Packet.wrapped(Packet(options: [2, 4, 0x05, 0xb4], payload: []).bytes))
    #expect(Array(fate.bytes[40...]) == [2, 4, 0x05, 0xb4])
  }

  @Test("follows the VM's MTU")
  func mtu() {
    let machine = HostMap.Machine(index: 3, locator: locator1, dip: dip, mtu: 8980)
    var bench = Bench(Bench.map(machines: [machine], endpoints: [Bench.standardEndpoints[0]]))
    let syn = Packet(flags: 0x02, options: [2, 4, 0xff, 0xff], payload: [])
    #expect(Reference.word(bench.inbound(Packet.wrapped(syn.bytes)).bytes, 42) == 8940)
  }
}
