import Dataplane
import PacketBuilder
import Wire

extension PacketCase {
  /// What a backend sent to the client in the VIP's name, as somebody on the way quotes it.
  static let quoted = IPv4(Bench.vip, Bench.client, timeToLive: 3) / TCP(80, 40_000, .ack) / Payload(count: 20)
  static let router = IPv4("192.0.2.1", Bench.vip)

  /// Echo, and errors about what backends have sent.
  static let icmp: [PacketCase] = [
    PacketCase(
      "echo", ip / ICMP.echoRequest(77, sequence: 3) / Payload(count: 56),
      .reply(IPv4(Bench.vip, Bench.client) / ICMP.echoReply(77, sequence: 3) / Payload(count: 56))),
    PacketCase(
      "echo, odd length, few hops left",
      IPv4(Bench.client, Bench.vip, typeOfService: 0x10, identification: 9, timeToLive: 5) / ICMP.echoRequest(0xffff)
        / Payload(count: 13),
      .reply(
        IPv4(Bench.vip, Bench.client, typeOfService: 0x10, identification: 9) / ICMP.echoReply(0xffff)
          / Payload(count: 13))),
    PacketCase(
      "echo to a VIP without endpoints", IPv4(Bench.client, Bench.plainVIP) / ICMP.echoRequest(1),
      .reply(IPv4(Bench.plainVIP, Bench.client) / ICMP.echoReply(1))),
    PacketCase(
      "echo to a VIP without backends", IPv4(Bench.client, Bench.emptyVIP) / ICMP.echoRequest(1),
      .reply(IPv4(Bench.emptyVIP, Bench.client) / ICMP.echoReply(1))),
    PacketCase("echo with a code", ip / ICMP(type: 8, code: 1), .drop(.transportHeader)),
    PacketCase("echo of 7 bytes", bytes: IPv4(Bench.client, Bench.vip, proto: 1).over([8, 0, 0, 0, 0, 1, 0]), .drop(.truncated)),
    PacketCase("echo, no hops left", IPv4(Bench.client, Bench.vip, timeToLive: 0) / ICMP.echoRequest(1), .drop(.timeToLive)),
    PacketCase("echo reply nobody asked for", ip / ICMP.echoReply(1), .drop(.noEndpoint)),
    PacketCase("timestamp", ip / ICMP(type: 13) / Payload(count: 12), .drop(.unknownProtocol)),
    PacketCase("redirect", router / ICMP(type: 5) / quoted, .drop(.unknownProtocol)),
    PacketCase("fragmentation needed", router / ICMP.fragmentationNeeded(mtu: 1400) / quoted, .encapsulated),
    PacketCase("unreachable", router / ICMP(type: 3, code: 1) / quoted, .encapsulated),
    PacketCase("time exceeded", router / ICMP(type: 11) / quoted, .encapsulated),
    PacketCase("parameter problem", router / ICMP(type: 12) / quoted, .encapsulated),
    PacketCase(
      "about a UDP flow", router / ICMP(type: 3, code: 3) / (IPv4(Bench.vip, Bench.client) / UDP(53, 5353)),
      .encapsulated),
    PacketCase(
      "quotes 64 bits only",
      bytes: router.with(proto: 1).over(
        (IPv4("0.0.0.0", "0.0.0.0") / ICMP(type: 3) / Payload([UInt8](quoted.bytes.prefix(28)))).bytes.dropFirst(20) + []),
      .encapsulated),
    PacketCase(
      "quotes less", bytes: router.with(proto: 1).over([3, 1, 0, 0, 0, 0, 0, 0] + quoted.bytes.prefix(27)), .drop(.truncated)),
    PacketCase(
      "quotes a packet of somebody else",
      router / ICMP(type: 3) / (IPv4("203.0.113.99", Bench.client) / TCP(80, 40_000)), .drop(.transportHeader)),
    PacketCase(
      "quotes a header with options",
      router / ICMP(type: 3) / (IPv4(Bench.vip, Bench.client, options: [1, 1, 1, 0]) / TCP(80, 40_000)),
      .drop(.transportHeader)),
    PacketCase(
      "quotes a later fragment",
      router / ICMP(type: 3) / (IPv4(Bench.vip, Bench.client, fragmentOffset: 4) / TCP(80, 40_000)),
      .drop(.fragment)),
    PacketCase(
      "quotes GRE", router / ICMP(type: 3) / (IPv4(Bench.vip, Bench.client, proto: 47) / Payload(count: 20)),
      .drop(.unknownProtocol)),
    PacketCase(
      "quotes our own echo reply", router / ICMP(type: 3) / (IPv4(Bench.vip, Bench.client) / ICMP.echoReply(1)),
      .drop(.noEndpoint)),
    PacketCase(
      "quotes a port that nobody serves",
      router / ICMP(type: 3) / (IPv4(Bench.vip, Bench.client) / TCP(81, 40_000)), .drop(.noEndpoint)),
  ]

  static let big = ip / TCP(40_000, 80, .ack) / Payload(count: 1_441)

  /// Sizes and offloads.
  static let sizes: [PacketCase] = [
    PacketCase(
      "1481 bytes with DF", big,
      .reply(
        IPv4(Bench.vip, Bench.client, typeOfService: 0xc0) / ICMP.fragmentationNeeded(mtu: 1480)
          / Payload([UInt8](big.bytes.prefix(128))))),
    PacketCase(
      "1500 bytes of UDP with DF", ip / UDP(5353, 53) / Payload(count: 1_472),
      .reply(
        IPv4(Bench.vip, Bench.client, typeOfService: 0xc0) / ICMP.fragmentationNeeded(mtu: 1480)
          / Payload([UInt8]((ip / UDP(5353, 53) / Payload(count: 1_472)).bytes.prefix(128))))),
    PacketCase(
      "1481 bytes without DF", IPv4(Bench.client, Bench.vip, dontFragment: false) / TCP(1, 80) / Payload(count: 1_441),
      .drop(.tooBig)),
    PacketCase("an ICMP error of 1500 bytes", router / ICMP(type: 11) / quoted / Payload(count: 1_412), .drop(.tooBig)),
    PacketCase(
      "TCP super-packet", ip / TCP(40_000, 80, isPartial: true) / Payload(count: 60_000), offload: .tcp(segment: 1_440),
      .encapsulated),
    PacketCase(
      "TCP super-packet whose segments are too big",
      ip / TCP(40_000, 80, isPartial: true) / Payload(count: 60_000), offload: .tcp(segment: 1_441),
      .reply(
        IPv4(Bench.vip, Bench.client, typeOfService: 0xc0) / ICMP.fragmentationNeeded(mtu: 1480)
          / Payload([UInt8]((ip / TCP(40_000, 80, isPartial: true) / Payload(count: 60_000)).bytes.prefix(128))))),
    PacketCase(
      "UDP super-packet", ip / UDP(5353, 53, isPartial: true) / Payload(count: 14_000), offload: .udp(segment: 1_400),
      .encapsulated),
    PacketCase(
      "checksum only begun", ip / TCP(40_000, 80, isPartial: true) / Payload(count: 10),
      offload: .partial(checksumOffset: 16), .encapsulated),
    PacketCase("TCP offload of a UDP packet", ip / UDP(5353, 53) / Payload(count: 3_000), offload: .tcp(segment: 1_000), .drop(.offload)),
    PacketCase("UDP offload of a TCP packet", ip / TCP(1, 80) / Payload(count: 3_000), offload: .udp(segment: 1_000), .drop(.offload)),
    PacketCase("segments of 0 bytes", ip / TCP(1, 80) / Payload(count: 3_000), offload: .tcp(segment: 0), .drop(.offload)),
    PacketCase(
      "checksum elsewhere", ip / TCP(1, 80, isPartial: true), offload: .partial(checksumOffset: 16, start: 34), .drop(.offload)),
    PacketCase("echo with a checksum only begun", ip / ICMP.echoRequest(1), offload: .partial(checksumOffset: 2), .drop(.offload)),
  ]
}

extension IPv4 {
  /// The same header over another protocol.
  func with(proto: UInt8) -> IPv4 {
    var result = self
    result.proto = proto
    return result
  }
}
