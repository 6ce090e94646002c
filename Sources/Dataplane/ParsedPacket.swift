public import Wire

/// What reading a piece of a packet gave: a value, or why the packet must be dropped.
public enum Parsed<Value: BitwiseCopyable>: BitwiseCopyable {
  /// It makes sense.
  case value(Value)
  /// It does not.
  case fault(DropReason)
}

/// An IPv4 packet whose header has been found sound.
public struct IPv4Packet: BitwiseCopyable, Sendable {
  /// Where in the frame it begins.
  public let offset: Int
  /// Header and payload; what the frame has behind that is padding.
  public let totalLength: Int
  /// Who sent it.
  public let source: IPv4Address
  /// Where it is to go.
  public let destination: IPv4Address
  /// What the payload is.
  public let proto: IPProtocol
  /// Whether it is a piece of a packet.
  public let isFragment: Bool
  /// Whether routers must not fragment it.
  public let dontFragment: Bool
  /// Hops left.
  public let timeToLive: UInt8

  /// Where the payload begins.
  @inline(always) public var payload: Int { offset &+ IPv4Header.byteCount }

  /// Reads the header at a constant `offset`: version, length, checksum; options are refused.
  @inline(always) public static func parse(_ frame: borrowing Frame, at offset: Int) -> Parsed<IPv4Packet> {
    guard frame.holds(offset &+ IPv4Header.byteCount) else { return .fault(.truncated) }
    let header = IPv4Header(at: offset)
    let first = header.versionAndLength(frame)
    guard first >> 4 == 4 else { return .fault(.notIPv4) }
    guard first == 0x45 else { return .fault(.headerLength) }
    let total = header.totalLength(frame)
    guard total >= IPv4Header.byteCount else { return .fault(.headerLength) }
    guard offset &+ total <= frame.byteCount else { return .fault(.truncated) }
    guard header.isIntact(frame) else { return .fault(.headerChecksum) }
    return .value(
      IPv4Packet(
        offset: offset, totalLength: total, source: header.source(frame),
        destination: header.destination(frame), proto: header.proto(frame),
        isFragment: header.isFragment(frame), dontFragment: header.dontFragment(frame),
        timeToLive: header.timeToLive(frame)))
  }

  @inlinable @inline(__always) init(
    offset: Int, totalLength: Int, source: IPv4Address, destination: IPv4Address, proto: IPProtocol,
    isFragment: Bool, dontFragment: Bool, timeToLive: UInt8
  ) {
    self.offset = offset
    self.totalLength = totalLength
    self.source = source
    self.destination = destination
    self.proto = proto
    self.isFragment = isFragment
    self.dontFragment = dontFragment
    self.timeToLive = timeToLive
  }
}

/// A whole TCP, UDP or ICMP packet and the connection it belongs to.
public struct ParsedPacket: BitwiseCopyable, Sendable {
  /// What the payload of the IPv4 packet is.
  public enum Content: UInt8, BitwiseCopyable, Sendable {
    /// A TCP segment.
    case tcp
    /// A UDP datagram.
    case udp
    /// The question of `ping`.
    case echoRequest
    /// The answer of `ping`.
    case echoReply
    /// An ICMP error that quotes a packet of the connection.
    case icmpError
  }

  /// The network layer.
  public let network: IPv4Packet
  /// What it carries.
  public let content: Content
  /// The connection, seen in the direction in which this packet travels.
  ///
  /// Of an ICMP error the one that it is about: it answers the quoted packet, so that is the quoted
  /// packet's five-tuple reversed.
  public let connection: FiveTuple
  /// The control bits of TCP, otherwise none.
  public let flags: TCPFlags
  /// IPv4, TCP, UDP or ICMP headers with their options.
  public let headerLength: Int

  /// Whether it begins a connection.
  @inline(always) public var opens: Bool { content == .tcp && flags.opens }

  @inlinable @inline(__always) init(
    network: IPv4Packet, content: Content, connection: FiveTuple, flags: TCPFlags = TCPFlags(0),
    headerLength: Int
  ) {
    self.network = network
    self.content = content
    self.connection = connection
    self.flags = flags
    self.headerLength = headerLength
  }

  /// Reads network and transport headers at a constant `offset`.
  @inline(always) public static func parse(_ frame: borrowing Frame, at offset: Int) -> Parsed<ParsedPacket> {
    switch IPv4Packet.parse(frame, at: offset) {
    case .fault(let reason): .fault(reason)
    case .value(let network): parse(frame, network)
    }
  }

  /// Reads the transport header behind a network header that was read at a constant offset.
  @inline(always) public static func parse(
    _ frame: borrowing Frame, _ network: IPv4Packet
  ) -> Parsed<ParsedPacket> {
    guard !network.isFragment else { return .fault(.fragment) }
    switch network.proto.rawValue {
    case IPProtocol.tcp.rawValue: return tcp(frame, network)
    case IPProtocol.udp.rawValue: return udp(frame, network)
    case IPProtocol.icmp.rawValue: return icmp(frame, network)
    default: return .fault(.unknownProtocol)
    }
  }

  @inlinable @inline(__always) static func tcp(
    _ frame: borrowing Frame, _ network: IPv4Packet
  ) -> Parsed<ParsedPacket> {
    guard network.totalLength >= IPv4Header.byteCount &+ TCPHeader.byteCount,
      frame.holds(network.payload &+ TCPHeader.byteCount)
    else { return .fault(.truncated) }
    let tcp = TCPHeader(at: network.payload)
    let headers = IPv4Header.byteCount &+ tcp.headerLength(frame)
    let flags = tcp.flags(frame)
    guard tcp.headerLength(frame) >= TCPHeader.byteCount, headers <= network.totalLength, !flags.isNonsense
    else { return .fault(.transportHeader) }
    let connection = FiveTuple(
      source: network.source, destination: network.destination, sourcePort: tcp.sourcePort(frame),
      destinationPort: tcp.destinationPort(frame), proto: .tcp)
    return .value(
      ParsedPacket(
        network: network, content: .tcp, connection: connection, flags: flags, headerLength: headers))
  }

  @inlinable @inline(__always) static func udp(
    _ frame: borrowing Frame, _ network: IPv4Packet
  ) -> Parsed<ParsedPacket> {
    guard network.totalLength >= IPv4Header.byteCount &+ UDPHeader.byteCount,
      frame.holds(network.payload &+ UDPHeader.byteCount)
    else { return .fault(.truncated) }
    let udp = UDPHeader(at: network.payload)
    let length = udp.length(frame)
    guard length >= UDPHeader.byteCount, IPv4Header.byteCount &+ length <= network.totalLength else {
      return .fault(.transportHeader)
    }
    let connection = FiveTuple(
      source: network.source, destination: network.destination, sourcePort: udp.sourcePort(frame),
      destinationPort: udp.destinationPort(frame), proto: .udp)
    return .value(
      ParsedPacket(
        network: network, content: .udp, connection: connection,
        headerLength: IPv4Header.byteCount &+ UDPHeader.byteCount))
  }

  @inlinable @inline(__always) static func icmp(
    _ frame: borrowing Frame, _ network: IPv4Packet
  ) -> Parsed<ParsedPacket> {
    let headers = IPv4Header.byteCount &+ ICMPHeader.byteCount
    guard network.totalLength >= headers, frame.holds(network.payload &+ ICMPHeader.byteCount) else {
      return .fault(.truncated)
    }
    let icmp = ICMPHeader(at: network.payload)
    let type = icmp.type(frame)
    if type.isError { return icmpError(frame, network, quoted: icmp.quoted) }
    guard type.rawValue == 0 || type.rawValue == 8 else { return .fault(.unknownProtocol) }
    guard icmp.code(frame) == 0 else { return .fault(.transportHeader) }
    let isRequest = type.rawValue == 8
    let identifier = icmp.identifier(frame)
    let connection = FiveTuple(
      source: network.source, destination: network.destination, sourcePort: isRequest ? identifier : 0,
      destinationPort: isRequest ? 0 : identifier, proto: .icmp)
    return .value(
      ParsedPacket(
        network: network, content: isRequest ? .echoRequest : .echoReply, connection: connection,
        headerLength: headers))
  }

  /// Finds the connection of a quoted packet; its checksums are not judged, since it has been under way.
  @inlinable @inline(__always) static func icmpError(
    _ frame: borrowing Frame, _ network: IPv4Packet, quoted: IPv4Header
  ) -> Parsed<ParsedPacket> {
    let headers = IPv4Header.byteCount &+ ICMPHeader.byteCount
    // RFC 792: the quoted header and 64 bits of its payload.
    guard network.totalLength >= headers &+ IPv4Header.byteCount &+ 8,
      frame.holds(quoted.offset &+ IPv4Header.byteCount &+ 8)
    else { return .fault(.truncated) }
    // An error goes to the sender of the packet that it quotes.
    guard quoted.versionAndLength(frame) == 0x45, quoted.source(frame) == network.destination else {
      return .fault(.transportHeader)
    }
    guard quoted.fragmentWord(frame) & 0x1fff == 0 else { return .fault(.fragment) }
    let ports = TCPHeader(at: quoted.offset &+ IPv4Header.byteCount)
    var source = ports.sourcePort(frame)
    var destination = ports.destinationPort(frame)
    let proto = quoted.proto(frame)
    if proto.rawValue == IPProtocol.icmp.rawValue {
      let echo = ICMPHeader(at: ports.offset)
      let type = echo.type(frame).rawValue
      guard type == 0 || type == 8 else { return .fault(.unknownProtocol) }
      source = type == 8 ? echo.identifier(frame) : 0
      destination = type == 8 ? 0 : echo.identifier(frame)
    } else if proto.rawValue != IPProtocol.tcp.rawValue, proto.rawValue != IPProtocol.udp.rawValue {
      return .fault(.unknownProtocol)
    }
    let connection = FiveTuple(
      source: quoted.destination(frame), destination: quoted.source(frame), sourcePort: destination,
      destinationPort: source, proto: proto)
    return .value(
      ParsedPacket(network: network, content: .icmpError, connection: connection, headerLength: headers))
  }
}
