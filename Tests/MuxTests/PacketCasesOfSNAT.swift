import Dataplane
import PacketBuilder
import Wire

extension PacketCase {
  /// What a VM behind the VIP has sent, as somebody on the way quotes it.
  static let translated = IPv4(Bench.vip, Bench.client, timeToLive: 3)
  static let plain = IPv4(Bench.client, Bench.plainVIP)

  /// Answers to connections that VMs have opened: `Bench.leases`.
  static let snat: [PacketCase] = [
    PacketCase("SNAT, TCP SYN ACK", ip / TCP(443, 1_024, .syn | .ack), .leased("10.2.0.1")),
    PacketCase(
      "SNAT, last port of the range", ip / TCP(443, 1_031) / Payload(count: 900), .leased("10.2.0.1")),
    PacketCase("SNAT, a SYN goes there too", ip / TCP(443, 1_030, .syn), .leased("10.2.0.1")),
    PacketCase("SNAT, RST", ip / TCP(443, 1_030, .rst), .leased("10.2.0.1")),
    PacketCase("SNAT, UDP", ip / UDP(53, 1_026) / Payload(count: 100), .leased("10.2.0.1")),
    PacketCase("SNAT, highest port", ip / UDP(53, 65_535), .leased("10.2.0.3")),
    PacketCase("SNAT, lowest port of the highest range", ip / TCP(53, 65_528), .leased("10.2.0.3")),
    PacketCase("port behind the range", ip / TCP(443, 1_032, .ack), .drop(.noEndpoint)),
    PacketCase("port before the range", ip / TCP(443, 1_023, .ack), .drop(.noEndpoint)),
    PacketCase("UDP port behind the range", ip / UDP(53, 1_032), .drop(.noEndpoint)),
    PacketCase("an endpoint within a range", ip / TCP(40_000, 8_081, .syn), .encapsulated),
    PacketCase("its port of the other protocol", ip / UDP(40_000, 8_081), .leased("10.2.0.2")),
    PacketCase("the port beside the endpoint", ip / TCP(443, 8_080), .leased("10.2.0.2")),
    PacketCase("SNAT, VIP without endpoints", plain / TCP(443, 2_050), .leased("10.2.0.4")),
    PacketCase("another VIP's range", plain / TCP(443, 1_024), .drop(.noEndpoint)),
    PacketCase(
      "a range of what is no VIP", IPv4(Bench.client, "203.0.113.11") / TCP(443, 2_050), .pass),
    PacketCase("SNAT, echo reply", ip / ICMP.echoReply(1_025) / Payload(count: 56), .leased("10.2.0.1")),
    PacketCase("echo reply behind the range", ip / ICMP.echoReply(1_032), .drop(.noEndpoint)),
    PacketCase(
      "SNAT, echo reply to the port of an endpoint", ip / ICMP.echoReply(8_081), .leased("10.2.0.2")),
    PacketCase(
      "an echo request is answered, whatever its identifier", ip / ICMP.echoRequest(1_025),
      .reply(IPv4(Bench.vip, Bench.client) / ICMP.echoReply(1_025))),
    PacketCase(
      "SNAT, fragmentation needed about TCP",
      router / ICMP.fragmentationNeeded(mtu: 1400) / (translated / TCP(1_027, 443, .ack)), .leased("10.2.0.1")
    ),
    PacketCase(
      "SNAT, unreachable about UDP", router / ICMP(type: 3, code: 3) / (translated / UDP(1_027, 53)),
      .leased("10.2.0.1")),
    PacketCase(
      "SNAT, time exceeded about an echo request",
      router / ICMP(type: 11) / (translated / ICMP.echoRequest(1_027)), .leased("10.2.0.1")),
    PacketCase(
      "error about an echo reply of that identifier",
      router / ICMP(type: 11) / (translated / ICMP.echoReply(1_027)), .drop(.noEndpoint)),
    PacketCase(
      "error about a port behind the range", router / ICMP(type: 11) / (translated / TCP(1_032, 443)),
      .drop(.noEndpoint)),
    PacketCase(
      "SNAT, DSCP EF, ECN CE", IPv4(Bench.client, Bench.vip, typeOfService: 0xbb) / TCP(443, 1_024),
      .leased("10.2.0.1")),
    PacketCase(
      "SNAT, last hop", IPv4(Bench.client, Bench.vip, timeToLive: 1) / TCP(443, 1_024), .leased("10.2.0.1")),
    PacketCase(
      "SNAT, fragment",
      IPv4(Bench.client, Bench.vip, dontFragment: false, moreFragments: true) / TCP(443, 1_024),
      .drop(.fragment)),
    PacketCase(
      "SNAT, 1481 bytes without DF",
      IPv4(Bench.client, Bench.vip, dontFragment: false) / TCP(443, 1_024) / Payload(count: 1_441),
      .drop(.tooBig)),
    PacketCase(
      "SNAT, TCP super-packet", ip / TCP(443, 1_024, isPartial: true) / Payload(count: 60_000),
      offload: .tcp(segment: 1_440), .leased("10.2.0.1")),
  ]
}
