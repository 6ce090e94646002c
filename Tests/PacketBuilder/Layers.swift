public import Wire

/// An IPv4 header (RFC 791). What is nil is computed.
public struct IPv4: Layer {
  /// Its protocol number.
  public var number: UInt8 { 4 }
  /// Who sends.
  public var source: IPv4Address
  /// Who receives.
  public var destination: IPv4Address
  /// DSCP and ECN.
  public var typeOfService: UInt8
  /// Of the packet whose fragments belong together.
  public var identification: UInt16
  /// DF.
  public var dontFragment: Bool
  /// MF.
  public var moreFragments: Bool
  /// In units of 8 bytes.
  public var fragmentOffset: UInt16
  /// Hops left.
  public var timeToLive: UInt8
  /// By default that of the layer above.
  public var proto: UInt8?
  /// By default the sum of the layers.
  public var totalLength: UInt16?
  /// Version and header length.
  public var versionAndLength: UInt8?
  /// By default the right one.
  public var checksum: UInt16?
  /// Padded to whole words by the caller.
  public var options: [UInt8]

  /// Describes a header.
  public init(
    _ source: IPv4Address, _ destination: IPv4Address, typeOfService: UInt8 = 0, identification: UInt16 = 0,
    dontFragment: Bool = true, moreFragments: Bool = false, fragmentOffset: UInt16 = 0,
    timeToLive: UInt8 = 64, proto: UInt8? = nil, totalLength: UInt16? = nil, versionAndLength: UInt8? = nil,
    checksum: UInt16? = nil, options: [UInt8] = []
  ) {
    self.source = source
    self.destination = destination
    self.typeOfService = typeOfService
    self.identification = identification
    self.dontFragment = dontFragment
    self.moreFragments = moreFragments
    self.fragmentOffset = fragmentOffset
    self.timeToLive = timeToLive
    self.proto = proto
    self.totalLength = totalLength
    self.versionAndLength = versionAndLength
    self.checksum = checksum
    self.options = options
  }

  /// The header and what is above it.
  public func bytes(over payload: [UInt8], under network: IPv4?) -> [UInt8] {
    header(byteCount: payload.count, proto: proto ?? 0) + payload
  }

  func header(byteCount: Int, proto: UInt8) -> [UInt8] {
    let length = 20 + options.count
    let flags: UInt16 = (dontFragment ? 0x4000 : 0) | (moreFragments ? 0x2000 : 0)
    var header = [versionAndLength ?? 0x40 | UInt8(length / 4), typeOfService]
    header += octets(totalLength ?? UInt16(truncatingIfNeeded: length + byteCount))
    header += octets(identification) + octets(flags | fragmentOffset)
    header += [timeToLive, proto, 0, 0] + octets(source.number) + octets(destination.number) + options
    return header.with(checksum ?? PacketBuilder.checksum(header), at: 10)
  }

  /// The sum's share that TCP and UDP take from the network layer (RFC 9293 §3.1, RFC 768).
  func pseudoHeader(proto: UInt8, byteCount: Int) -> [UInt8] {
    octets(source.number) + octets(destination.number) + [0, proto]
      + octets(UInt16(truncatingIfNeeded: byteCount))
  }
}

/// A TCP header (RFC 9293).
public struct TCP: Layer {
  /// Its protocol number.
  public var number: UInt8 { 6 }
  /// The sender's port.
  public var source: UInt16
  /// The receiver's port.
  public var destination: UInt16
  /// The control bits.
  public var flags: TCPFlags
  /// The first byte's number.
  public var sequence: UInt32
  /// The next byte expected.
  public var acknowledgment: UInt32
  /// The window.
  public var window: UInt16
  /// Padded to whole words by the caller.
  public var options: [UInt8]
  /// Header length in words; by default the right one.
  public var dataOffset: UInt8?
  /// By default the right one.
  public var checksum: UInt16?
  /// Whether only the pseudo header's sum stands in the checksum, as a device with offloads gets it.
  public var isPartial: Bool

  /// Describes a segment's header.
  public init(
    _ source: UInt16, _ destination: UInt16, _ flags: TCPFlags = .ack, sequence: UInt32 = 1,
    acknowledgment: UInt32 = 0, window: UInt16 = 65_535, options: [UInt8] = [], dataOffset: UInt8? = nil,
    checksum: UInt16? = nil, isPartial: Bool = false
  ) {
    self.source = source
    self.destination = destination
    self.flags = flags
    self.sequence = sequence
    self.acknowledgment = acknowledgment
    self.window = window
    self.options = options
    self.dataOffset = dataOffset
    self.checksum = checksum
    self.isPartial = isPartial
  }

  /// The maximum segment size option (RFC 9293 §3.7.1).
  public static func mss(_ size: UInt16) -> [UInt8] { [2, 4] + octets(size) }

  /// The header and what is above it.
  public func bytes(over payload: [UInt8], under network: IPv4?) -> [UInt8] {
    var segment = octets(source) + octets(destination) + octets(sequence) + octets(acknowledgment)
    segment += [(dataOffset ?? UInt8(5 + options.count / 4)) << 4, flags.rawValue]
    segment += octets(window) + [0, 0, 0, 0] + options + payload
    return sealed(segment, at: 16, proto: 6, network, isPartial: isPartial, checksum: checksum)
  }
}

/// A UDP header (RFC 768).
public struct UDP: Layer {
  /// Its protocol number.
  public var number: UInt8 { 17 }
  /// The sender's port.
  public var source: UInt16
  /// The receiver's port.
  public var destination: UInt16
  /// By default the right one.
  public var length: UInt16?
  /// By default the right one; 0 for none.
  public var checksum: UInt16?
  /// Whether only the pseudo header's sum stands in the checksum, as a device with offloads gets it.
  public var isPartial: Bool

  /// Describes a datagram's header.
  public init(
    _ source: UInt16, _ destination: UInt16, length: UInt16? = nil, checksum: UInt16? = nil,
    isPartial: Bool = false
  ) {
    self.source = source
    self.destination = destination
    self.length = length
    self.checksum = checksum
    self.isPartial = isPartial
  }

  /// The header and what is above it.
  public func bytes(over payload: [UInt8], under network: IPv4?) -> [UInt8] {
    let size = length ?? UInt16(truncatingIfNeeded: 8 + payload.count)
    let datagram = octets(source) + octets(destination) + octets(size) + [0, 0] + payload
    return sealed(datagram, at: 6, proto: 17, network, isPartial: isPartial, checksum: checksum)
  }
}

/// An ICMP header (RFC 792).
public struct ICMP: Layer {
  /// Its protocol number.
  public var number: UInt8 { 1 }
  /// The type.
  public var type: UInt8
  /// The code.
  public var code: UInt8
  /// The four bytes behind the checksum.
  public var rest: UInt32
  /// By default the right one.
  public var checksum: UInt16?

  /// Describes a header.
  public init(type: UInt8, code: UInt8 = 0, rest: UInt32 = 0, checksum: UInt16? = nil) {
    self.type = type
    self.code = code
    self.rest = rest
    self.checksum = checksum
  }

  /// The question of `ping`.
  public static func echoRequest(_ identifier: UInt16, sequence: UInt16 = 1) -> ICMP {
    ICMP(type: 8, rest: UInt32(identifier) << 16 | UInt32(sequence))
  }
  /// The answer of `ping`.
  public static func echoReply(_ identifier: UInt16, sequence: UInt16 = 1) -> ICMP {
    ICMP(type: 0, rest: UInt32(identifier) << 16 | UInt32(sequence))
  }
  /// Too big, and not to be fragmented (RFC 1191).
  public static func fragmentationNeeded(mtu: UInt16) -> ICMP { ICMP(type: 3, code: 4, rest: UInt32(mtu)) }

  /// The header and what is above it.
  public func bytes(over payload: [UInt8], under network: IPv4?) -> [UInt8] {
    let message = [type, code, 0, 0] + octets(rest) + payload
    return message.with(checksum ?? PacketBuilder.checksum(message), at: 2)
  }
}

/// Bytes without meaning.
public struct Payload: Layer {
  /// Its protocol number.
  public var number: UInt8 { 255 }
  /// The bytes.
  public var content: [UInt8]

  /// These bytes.
  public init(_ content: [UInt8]) { self.content = content }

  /// So many bytes, none like its neighbour.
  public init(count: Int) { content = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) } }

  /// The bytes, and what is above them.
  public func bytes(over payload: [UInt8], under network: IPv4?) -> [UInt8] { content + payload }
}

/// A transport header with its checksum.
private func sealed(
  _ segment: [UInt8], at place: Int, proto: UInt8, _ network: IPv4?, isPartial: Bool, checksum: UInt16?
) -> [UInt8] {
  if let checksum { return segment.with(checksum, at: place) }
  let pseudo = network?.pseudoHeader(proto: proto, byteCount: segment.count) ?? []
  if isPartial { return segment.with(~PacketBuilder.checksum(pseudo), at: place) }
  let sum = PacketBuilder.checksum(pseudo + segment)
  // RFC 768: a UDP checksum of 0 would mean "none".
  return segment.with(proto == 17 && sum == 0 ? 0xffff : sum, at: place)
}
