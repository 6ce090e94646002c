import Dataplane
import HostAgent
import Testing
import Wire

@Suite("Inbound")
struct InboundTests {
  static let syn = Packet(flags: 0x02, options: [2, 4, 0x05, 0xb4], payload: [])

  @Test("A segment for the VIP reaches the VM at its own address and port", arguments: [false, true])
  func translates(isPartial: Bool) {
    var bench = Bench()
    let packet = Packet(isPartial: isPartial)
    let fate = bench.inbound(Packet.wrapped(packet.bytes), offload: packet.offload(at: 40))
    #expect(fate.machine == 3)
    #expect(
      fate.tuple
        == FiveTuple(source: client, destination: dip, sourcePort: 40_000, destinationPort: 8080, proto: .tcp)
    )
    #expect(Reference.faults(fate.bytes, isPartial: isPartial).isEmpty)
    #expect(fate.bytes.suffix(packet.payload.count) == packet.payload[...])
    #expect(fate.offload.checksumStart == (isPartial ? 20 : 0))
  }

  @Test(
    "A datagram too, and one without checksum stays without",
    arguments: [(false, true), (true, true), (false, false)])
  func translatesDatagrams(isPartial: Bool, hasChecksum: Bool) {
    var bench = Bench()
    let packet = Packet(
      proto: .udp, destinationPort: 53, payload: [1, 2, 3], isPartial: isPartial, hasChecksum: hasChecksum)
    let fate = bench.inbound(Packet.wrapped(packet.bytes), offload: packet.offload(at: 40))
    #expect(fate.tuple.destination == dip && fate.tuple.destinationPort == 53)
    #expect(Reference.faults(fate.bytes, isPartial: isPartial).isEmpty)
    #expect(hasChecksum || Reference.word(fate.bytes, 26) == 0)
  }

  @Test("The locator says which tenant is meant, though both use one DIP")
  func tenants() {
    var bench = Bench()
    var packet = Packet()
    packet.destination = vip2
    let fate = bench.inbound(Packet.wrapped(packet.bytes, to: locator2))
    #expect(fate.machine == 7)
    #expect(fate.tuple.destinationPort == 80)
    #expect(bench.inbound(Packet.wrapped(packet.bytes, to: locator1)).reason == .noEndpoint)
  }

  @Test("A super-packet passes whole, rewritten once", arguments: [IPProtocol.tcp, .udp])
  func superPackets(proto: IPProtocol) {
    var bench = Bench()
    let packet = Packet(
      proto: proto, destinationPort: proto == .tcp ? 80 : 53,
      payload: [UInt8](repeating: 0x5a, count: 60_000),
      isPartial: true)
    let offload = packet.offload(at: 40, size: 1400)
    let fate = bench.inbound(Packet.wrapped(packet.bytes), offload: offload)
    #expect(fate.machine == 3)
    #expect(fate.bytes.count == packet.bytes.count)
    #expect(Reference.faults(fate.bytes, isPartial: true).isEmpty)
    #expect(fate.offload.gsoSize == 1400 && fate.offload.gsoType == offload.gsoType)
    #expect(fate.offload.checksumStart == 20)
    #expect(fate.offload.headerLength == offload.headerLength - 20)
  }

  @Test("Padding behind the packet, as of short Ethernet frames, is cut off")
  func padding() {
    var bench = Bench()
    let packet = Packet(payload: [])
    let fate = bench.inbound(Packet.wrapped(packet.bytes) + [0, 0, 0, 0, 0, 0])
    #expect(fate.bytes.count == packet.bytes.count)
    #expect(Reference.faults(fate.bytes).isEmpty)
  }

  /// Inner mark, outer mark, what becomes of it (RFC 6040, figure 4).
  static let marks: [(UInt8, UInt8, UInt8?)] = [
    (0, 0, 0), (0, 1, 0), (0, 2, 0), (0, 3, nil), (1, 0, 1), (1, 1, 1), (1, 2, 1), (1, 3, 3),
    (2, 0, 2), (2, 1, 1), (2, 2, 2), (2, 3, 3), (3, 0, 3), (3, 1, 3), (3, 2, 3), (3, 3, 3),
  ]

  @Test("Congestion marks are joined as RFC 6040 says", arguments: marks)
  func congestion(inner: UInt8, outer: UInt8, result: UInt8?) {
    var bench = Bench()
    let packet = Packet(service: 0xb8 | inner)
    let fate = bench.inbound(Packet.wrapped(packet.bytes, service: outer))
    guard let result else {
      #expect(fate.reason == .congestion)
      return
    }
    #expect(fate.bytes[1] == 0xb8 | result)
    #expect(Reference.faults(fate.bytes).isEmpty)
  }
}

@Suite("Inbound, refused")
struct InboundDropTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    let reason: DropReason
    let bytes: [UInt8]
    var offload = Offload()
    var testDescription: String { name }

    init(_ name: String, _ reason: DropReason, _ bytes: [UInt8], _ offload: Offload = Offload()) {
      self.name = name
      self.reason = reason
      self.bytes = bytes
      self.offload = offload
    }
  }

  /// A wrapped packet with one byte of it changed and nothing else.
  static func spoilt(_ at: Int, _ value: UInt8, fixing header: Int? = nil) -> [UInt8] {
    var bytes = Packet.wrapped(Packet().bytes)
    bytes[at] = value
    guard let header else { return bytes }
    bytes.replaceSubrange((header + 10)..<(header + 12), with: [0, 0])
    let sum = ~Reference.sum(bytes[header..<(header + 20)])
    bytes.replaceSubrange((header + 10)..<(header + 12), with: sum.octets)
    return bytes
  }

  static var partial: Packet { Packet(isPartial: true) }
  static func offload(_ change: (inout Offload) -> Void) -> Offload {
    var offload = partial.offload(at: 40, size: 1400)
    change(&offload)
    return offload
  }

  static let outerCases = [
    Case("nothing", .truncated, []),
    Case("nineteen bytes", .truncated, Array(Packet.wrapped(Packet().bytes).prefix(19))),
    Case("shorter than it says", .truncated, Array(Packet.wrapped(Packet().bytes).dropLast())),
    Case("IPv6", .notIPv4, spoilt(0, 0x65)),
    Case("outer options", .headerLength, spoilt(0, 0x46)),
    Case("outer header too short", .headerLength, spoilt(0, 0x44)),
    Case("outer checksum", .headerChecksum, spoilt(10, 0xaa)),
    Case("outer fragment", .fragment, spoilt(6, 0x20, fixing: 0)),
    Case("outer hops used up", .timeToLive, spoilt(8, 0, fixing: 0)),
    Case("not encapsulated", .unknownProtocol, Packet().bytes),
    Case("not a MUX", .foreignSource, Packet.wrapped(Packet().bytes, from: router)),
    Case("source 0.0.0.0", .foreignSource, Packet.wrapped(Packet().bytes, from: .any)),
    Case("unknown locator", .unknownLocator, Packet.wrapped(Packet().bytes, to: IPv4Address(10, 64, 1, 9))),
    Case("locator 0.0.0.0", .unknownLocator, Packet.wrapped(Packet().bytes, to: .any)),
  ]

  static let innerCases = [
    Case("nothing inside", .truncated, Packet.wrapped([])),
    Case("nineteen bytes inside", .truncated, Packet.wrapped(Array(Packet().bytes.prefix(19)))),
    Case("inner shorter than it says", .truncated, Packet.wrapped(Array(Packet().bytes.dropLast()))),
    Case("inner IPv6", .notIPv4, spoilt(20, 0x60)),
    Case("inner options", .headerLength, spoilt(20, 0x47)),
    Case("inner checksum", .headerChecksum, spoilt(31, 0xaa)),
    Case("inner first fragment", .fragment, Packet.wrapped(Packet(fragmentWord: 0x2000).bytes)),
    Case("inner later fragment", .fragment, Packet.wrapped(Packet(fragmentWord: 0x0010).bytes)),
    Case("inner hops used up", .timeToLive, Packet.wrapped(Packet(timeToLive: 0).bytes)),
    Case(
      "unknown protocol", .unknownProtocol,
      Packet.wrapped(Packet.ip(client, vip, IPProtocol(47), [0, 0, 0, 0]))),
    Case("twice encapsulated", .unknownProtocol, Packet.wrapped(Packet.wrapped(Packet().bytes))),
    Case(
      "from the prober's address", .martianSource, Packet.wrapped(Packet(source: HostAgent.probeSource).bytes)
    ),
    Case("from loopback", .martianSource, Packet.wrapped(Packet(source: IPv4Address(127, 0, 0, 1)).bytes)),
    Case("from multicast", .martianSource, Packet.wrapped(Packet(source: IPv4Address(224, 0, 0, 1)).bytes)),
    Case("from nowhere", .martianSource, Packet.wrapped(Packet(source: .any).bytes)),
    Case(
      "TCP header cut", .truncated,
      Packet.wrapped(Packet.ip(client, vip, .tcp, [UInt8](repeating: 0, count: 19)))),
    Case("TCP data offset 4", .transportHeader, spoilt(52, 0x40)),
    Case(
      "TCP data offset 15 of a short segment", .transportHeader,
      Packet.wrapped(
        {
          var bytes = Packet(payload: []).bytes
          bytes[32] = 0xf0
          return bytes
        }())),
    Case("SYN with FIN", .transportHeader, spoilt(53, 0x03)),
    Case("SYN with RST", .transportHeader, spoilt(53, 0x06)),
    Case("UDP header cut", .truncated, Packet.wrapped(Packet.ip(client, vip, .udp, [0, 1, 0, 53, 0, 8, 0]))),
    Case(
      "UDP longer than the packet", .transportHeader,
      Packet.wrapped(Packet.ip(client, vip, .udp, [0, 1, 0, 53, 0, 9, 0, 0]))),
    Case(
      "UDP shorter than its header", .transportHeader,
      Packet.wrapped(Packet.ip(client, vip, .udp, [0, 1, 0, 53, 0, 7, 0, 0]))),
    Case("a port nobody serves", .noEndpoint, Packet.wrapped(Packet(destinationPort: 81).bytes)),
    Case("the port, but UDP", .noEndpoint, Packet.wrapped(Packet(proto: .udp).bytes)),
    Case("another address", .noEndpoint, Packet.wrapped(Packet(destination: router).bytes)),
    Case(
      "the DIP itself", .noEndpoint, Packet.wrapped(Packet(destination: dip, destinationPort: 8080).bytes)),
    Case(
      "destination 0.0.0.0", .noEndpoint,
      Packet.wrapped(Packet(destination: .any, destinationPort: 8080).bytes)),
    Case(
      "echo request", .noEndpoint,
      Packet.wrapped(Packet.ip(client, vip, .icmp, [8, 0, 0xf7, 0xff, 0, 0, 0, 0]))),
  ]

  static let offloadCases = [
    Case(
      "checksum start elsewhere", .offload, Packet.wrapped(partial.bytes), offload { $0.checksumStart = 20 }),
    Case(
      "checksum offset elsewhere", .offload, Packet.wrapped(partial.bytes), offload { $0.checksumOffset = 6 }),
    Case(
      "super-packet with complete checksum", .offload, Packet.wrapped(partial.bytes), offload { $0.flags = 0 }
    ),
    Case("segments of nothing", .offload, Packet.wrapped(partial.bytes), offload { $0.gsoSize = 0 }),
    Case(
      "UDP segments of TCP", .offload, Packet.wrapped(partial.bytes), offload { $0.gsoType = Offload.gsoUDP }),
    Case("IPv6 segments", .offload, Packet.wrapped(partial.bytes), offload { $0.gsoType = 4 }),
    Case("fragmentation offload", .offload, Packet.wrapped(partial.bytes), offload { $0.gsoType = 3 }),
    Case("unknown offload", .offload, Packet.wrapped(partial.bytes), offload { $0.gsoType = 0x7f }),
    Case(
      "partial ICMP", .offload, Packet.wrapped(Packet.ip(client, vip, .icmp, [3, 0, 0, 0, 0, 0, 0, 0])),
      offload { $0.gsoType = 0 }),
  ]

  @Test("Refused with its own reason, and counted", arguments: outerCases + innerCases + offloadCases)
  func refused(_ example: Case) {
    var bench = Bench()
    let fate = bench.inbound(example.bytes, offload: example.offload)
    #expect(fate.reason == example.reason)
    #expect(bench.agent.counters.dropped(example.reason) == 1)
    #expect(bench.agent.counters.flows.created == 0)
    #expect(bench.agent.counters.machine(3).packetsIn == 0)
  }
}
