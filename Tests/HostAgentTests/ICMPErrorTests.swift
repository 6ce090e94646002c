import Dataplane
import HostAgent
import Testing
import Wire

@Suite("ICMP errors")
struct ICMPErrorTests {
  static func quoted(_ proto: IPProtocol) -> Packet {
    Packet(
      source: vip, destination: client, proto: proto, sourcePort: proto == .tcp ? 80 : 53,
      destinationPort: 40_000)
  }
  static func request(_ proto: IPProtocol) -> Packet {
    Packet(proto: proto, destinationPort: proto == .tcp ? 80 : 53)
  }

  @Test(
    "about a packet of a flow reach the VM in its own words", arguments: [IPProtocol.tcp, .udp], [28, 40, 48])
  func inbound(proto: IPProtocol, count: Int) {
    var bench = Bench()
    _ = bench.inbound(Packet.wrapped(Self.request(proto).bytes))
    let error = Packet.error(from: router, to: vip, quoting: Self.quoted(proto).bytes, count: count)
    let fate = bench.inbound(Packet.wrapped(error))
    #expect(fate.machine == 3)
    #expect(Reference.faults(fate.bytes).isEmpty)
    #expect(Reference.address(fate.bytes, 12) == router)
    #expect(Reference.address(fate.bytes, 16) == dip)
    #expect(Reference.word(fate.bytes, 26) == 1400, "the next hop's MTU stays")
    let quote = Array(fate.bytes[28...])
    #expect(Reference.tuple(quote).source == dip)
    #expect(Reference.tuple(quote).sourcePort == (proto == .tcp ? 8080 : 53))
    #expect(Reference.sum(quote[..<20]) == 0xffff)
    // What the VM sent, before it was translated: its checksum must come out again, where it was quoted.
    var sent = Self.quoted(proto)
    sent.source = dip
    sent.sourcePort = proto == .tcp ? 8080 : 53
    #expect(Array(quote) == Array(sent.bytes.prefix(count)))
  }

  @Test("of the VM leave in the words of the client", arguments: [IPProtocol.tcp, .udp])
  func outbound(proto: IPProtocol) {
    var bench = Bench()
    let request = Self.request(proto)
    let received = bench.inbound(Packet.wrapped(request.bytes)).bytes
    let error = Packet.error(from: dip, to: client, code: 3, quoting: received, count: received.count)
    let fate = bench.outbound(error)
    #expect(fate.isTransmitted)
    #expect(Reference.faults(fate.bytes).isEmpty)
    #expect(Reference.address(fate.bytes, 12) == vip)
    #expect(Array(fate.bytes[28...]) == request.bytes)
  }

  static let refusals: [(String, DropReason, [UInt8])] = [
    (
      "about no flow", .noFlow,
      Packet.error(
        from: router, to: vip, quoting: Packet(source: vip, destination: router, sourcePort: 80).bytes)
    ),
    (
      "about no endpoint", .noEndpoint,
      Packet.error(
        from: router, to: vip, quoting: Packet(source: vip, destination: client, sourcePort: 81).bytes)
    ),
    (
      "about another's packet", .transportHeader,
      Packet.error(
        from: router, to: vip, quoting: Packet(source: vip2, destination: client, sourcePort: 80).bytes)
    ),
    (
      "without ports", .transportHeader,
      Packet.error(
        from: router, to: vip, quoting: quoted(.tcp).bytes, count: 27)
    ),
    ("without anything", .transportHeader, Packet.error(from: router, to: vip, quoting: [])),
    (
      "about ICMP", .transportHeader,
      Packet.error(
        from: router, to: vip, quoting: Packet.ip(vip, client, .icmp, [0, 0, 0xff, 0xff, 0, 0, 0, 0]))
    ),
    (
      "about a later fragment", .transportHeader,
      Packet.error(
        from: router, to: vip,
        quoting: Packet(source: vip, destination: client, sourcePort: 80, fragmentWord: 9).bytes)
    ),
    (
      "that redirect", .noEndpoint,
      Packet.error(
        from: router, to: vip, type: 5, code: 1, quoting: quoted(.tcp).bytes)
    ),
    (
      "that quench", .noEndpoint,
      Packet.error(
        from: router, to: vip, type: 4, code: 0, quoting: quoted(.tcp).bytes)
    ),
  ]

  @Test("go no further", arguments: refusals)
  func refused(_ name: String, _ reason: DropReason, _ error: [UInt8]) {
    var bench = Bench()
    _ = bench.inbound(Packet.wrapped(Self.request(.tcp).bytes))
    #expect(bench.inbound(Packet.wrapped(error)).reason == reason, "\(name)")
  }

  @Test("of a VM about what it did not get go no further")
  func forged() {
    var bench = Bench()
    _ = bench.inbound(Packet.wrapped(Self.request(.tcp).bytes))
    let other = Packet(source: router, destination: dip, destinationPort: 8080)
    #expect(bench.outbound(Packet.error(from: dip, to: router, quoting: other.bytes)).reason == .noFlow)
    #expect(
      bench.outbound(Packet.error(from: dip, to: client, quoting: other.bytes)).reason == .transportHeader)
  }
}
