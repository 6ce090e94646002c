import Dataplane
import PacketBuilder
import Testing
import Wire

/// A packet in, and what must come out.
struct PacketCase: CustomTestStringConvertible, Sendable {
  enum Outcome: Sendable {
    case drop(DropReason)
    case pass
    /// IPIP to the backend of the connection.
    case encapsulated
    /// IPIP to who has leased the port.
    case leased(IPv4Address)
    /// A packet of its own.
    case reply(Packet)
  }
  var name: String
  var packet: [UInt8]
  var offload = Offload()
  var outcome: Outcome
  var testDescription: String { name }

  init(_ name: String, _ packet: Packet, offload: Offload = Offload(), _ outcome: Outcome) {
    self.init(name, bytes: packet.bytes, offload: offload, outcome)
  }

  init(_ name: String, bytes: [UInt8], offload: Offload = Offload(), _ outcome: Outcome) {
    self.name = name
    packet = bytes
    self.offload = offload
    self.outcome = outcome
  }
}

extension PacketCase {
  static let all = sound + headers + transports + icmp + sizes + snat + strangers

  static let ip = IPv4(Bench.client, Bench.vip)
  static let syn = TCP(40_000, 80, .syn, options: TCP.mss(1460))

  /// What is sent on.
  static let sound: [PacketCase] = [
    PacketCase("TCP SYN", ip / syn, .encapsulated),
    PacketCase("TCP ACK", ip / TCP(40_000, 80), .encapsulated),
    PacketCase("TCP data", ip / TCP(40_000, 80, .ack | .psh) / Payload(count: 1_000), .encapsulated),
    PacketCase("TCP FIN", ip / TCP(40_000, 80, .fin | .ack), .encapsulated),
    PacketCase("TCP RST", ip / TCP(40_000, 80, .rst), .encapsulated),
    PacketCase("TCP without flags", ip / TCP(40_000, 80, TCPFlags(0)), .encapsulated),
    PacketCase(
      "TCP, 40 bytes of options", ip / TCP(1, 80, .syn, options: [UInt8](repeating: 1, count: 40)),
      .encapsulated),
    PacketCase("TCP, wrong checksum: the backend judges", ip / TCP(1, 80, checksum: 0x1234), .encapsulated),
    PacketCase("TCP from port 0", ip / TCP(0, 80), .encapsulated),
    PacketCase("TCP to the port with affinity", ip / TCP(40_000, 443, .syn), .encapsulated),
    PacketCase("UDP", ip / UDP(5353, 53) / Payload(count: 30), .encapsulated),
    PacketCase("UDP, empty", ip / UDP(5353, 53), .encapsulated),
    PacketCase("UDP without checksum", ip / UDP(5353, 53, checksum: 0) / Payload(count: 3), .encapsulated),
    PacketCase(
      "UDP, shorter than its packet", ip / UDP(5353, 53, length: 10) / Payload(count: 30), .encapsulated),
    PacketCase(
      "DSCP EF, ECN CE", IPv4(Bench.client, Bench.vip, typeOfService: 0xbb) / syn, .encapsulated),
    PacketCase(
      "without DF the identification is kept",
      IPv4(Bench.client, Bench.vip, identification: 0xbeef, dontFragment: false) / syn, .encapsulated),
    PacketCase(
      "with DF it is not", IPv4(Bench.client, Bench.vip, identification: 0xbeef) / syn, .encapsulated),
    PacketCase("last hop", IPv4(Bench.client, Bench.vip, timeToLive: 1) / syn, .encapsulated),
    PacketCase(
      "padded to 60 bytes", bytes: (ip / TCP(40_000, 80)).bytes + [UInt8](repeating: 0, count: 20),
      .encapsulated),
    PacketCase("exactly 1480 bytes", ip / TCP(40_000, 80) / Payload(count: 1_440), .encapsulated),
  ]

  /// IPv4 headers that make no sense.
  static let headers: [PacketCase] = [
    PacketCase("nothing", bytes: [], .drop(.truncated)),
    PacketCase("19 bytes", bytes: [UInt8]((ip / syn).bytes.prefix(19)), .drop(.truncated)),
    PacketCase("one byte missing", bytes: [UInt8]((ip / syn).bytes.dropLast()), .drop(.truncated)),
    PacketCase("IPv6", bytes: [0x60] + [UInt8](repeating: 0, count: 47), .drop(.notIPv4)),
    PacketCase("version 0", IPv4(Bench.client, Bench.vip, versionAndLength: 0x05) / syn, .drop(.notIPv4)),
    PacketCase(
      "header of 16 bytes", IPv4(Bench.client, Bench.vip, versionAndLength: 0x44) / syn, .drop(.headerLength)),
    PacketCase(
      "with options", IPv4(Bench.client, Bench.vip, options: [1, 1, 1, 0]) / syn, .drop(.headerLength)),
    PacketCase(
      "says it has 19 bytes", IPv4(Bench.client, Bench.vip, totalLength: 19) / syn, .drop(.headerLength)),
    PacketCase(
      "says it has 0 bytes", IPv4(Bench.client, Bench.vip, totalLength: 0) / syn, .drop(.headerLength)),
    PacketCase(
      "says it has 65,535 bytes", IPv4(Bench.client, Bench.vip, totalLength: 65_535) / syn, .drop(.truncated)),
    PacketCase(
      "wrong checksum", IPv4(Bench.client, Bench.vip, checksum: 0xabcd) / syn, .drop(.headerChecksum)),
    PacketCase("no hops left", IPv4(Bench.client, Bench.vip, timeToLive: 0) / syn, .drop(.timeToLive)),
    PacketCase(
      "first fragment", IPv4(Bench.client, Bench.vip, dontFragment: false, moreFragments: true) / syn,
      .drop(.fragment)),
    PacketCase(
      "last fragment", IPv4(Bench.client, Bench.vip, dontFragment: false, fragmentOffset: 185) / syn,
      .drop(.fragment)),
    PacketCase("GRE", IPv4(Bench.client, Bench.vip, proto: 47) / Payload(count: 40), .drop(.unknownProtocol)),
    PacketCase("IPIP", ip / (ip / syn), .drop(.unknownProtocol)),
  ]

  /// TCP and UDP headers that make no sense.
  static let transports: [PacketCase] = [
    PacketCase(
      "TCP, 19 bytes", bytes: IPv4(Bench.client, Bench.vip, proto: 6).over([UInt8](repeating: 0, count: 19)),
      .drop(.truncated)),
    PacketCase("TCP header of 16 bytes", ip / TCP(1, 80, dataOffset: 4), .drop(.transportHeader)),
    PacketCase("TCP header longer than the packet", ip / TCP(1, 80, dataOffset: 15), .drop(.transportHeader)),
    PacketCase("TCP SYN and FIN", ip / TCP(1, 80, .syn | .fin), .drop(.transportHeader)),
    PacketCase("TCP SYN and RST", ip / TCP(1, 80, .syn | .rst), .drop(.transportHeader)),
    PacketCase(
      "UDP, 7 bytes", bytes: IPv4(Bench.client, Bench.vip, proto: 17).over([0, 1, 0, 53, 0, 7, 0]),
      .drop(.truncated)),
    PacketCase("UDP of length 7", ip / UDP(1, 53, length: 7), .drop(.transportHeader)),
    PacketCase(
      "UDP longer than the packet", ip / UDP(1, 53, length: 100) / Payload(count: 91), .drop(.transportHeader)
    ),
    PacketCase("TCP to a port that nobody serves", ip / TCP(1, 81, .syn), .drop(.noEndpoint)),
    PacketCase("TCP to the port of UDP", ip / TCP(1, 53, .syn), .drop(.noEndpoint)),
    PacketCase("UDP to the port of TCP", ip / UDP(1, 80), .drop(.noEndpoint)),
    PacketCase(
      "TCP to a VIP without endpoints", IPv4(Bench.client, Bench.plainVIP) / syn, .drop(.noEndpoint)),
    PacketCase(
      "TCP to an endpoint without backends", IPv4(Bench.client, Bench.emptyVIP) / syn, .drop(.noBackend)),
  ]

  /// What is not ours is the stack's business, sound or not.
  static let strangers: [PacketCase] = [
    PacketCase("TCP to another address", IPv4(Bench.client, "203.0.113.11") / syn, .pass),
    PacketCase("echo to another address", IPv4(Bench.client, "203.0.113.11") / ICMP.echoRequest(1), .pass),
    PacketCase(
      "fragment to another address",
      IPv4(Bench.client, "203.0.113.11", dontFragment: false, fragmentOffset: 9) / syn, .pass),
    PacketCase(
      "GRE to another address", IPv4(Bench.client, "203.0.113.11", proto: 47) / Payload(count: 9), .pass),
    PacketCase("from a VIP to a client", IPv4(Bench.vip, Bench.client) / TCP(80, 40_000), .pass),
    PacketCase(
      "ICMP error to another address",
      IPv4(Bench.client, "203.0.113.11") / ICMP(type: 3)
        / (IPv4("203.0.113.11", Bench.client) / TCP(80, 40_000)), .pass),
    PacketCase(
      "wrong checksum to another address", IPv4(Bench.client, "203.0.113.11", checksum: 1) / syn,
      .drop(.headerChecksum)),
  ]
}

extension IPv4 {
  /// The header before bytes that are no layer.
  func over(_ payload: [UInt8]) -> [UInt8] { bytes(over: payload, under: nil) }
}
