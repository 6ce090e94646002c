import Wire

/// A TCP segment of a probe, written to and read from a whole IPv4 packet.
///
/// Probes take the slow way, a few packets a second, so these are arrays and not frames.
struct ProbeSegment: Equatable, Sendable {
  var source: IPv4Address
  var destination: IPv4Address
  var sourcePort: UInt16
  var destinationPort: UInt16
  var sequence: UInt32
  var acknowledgment: UInt32
  var flags: TCPFlags
  var payload: [UInt8]

  /// Bytes that a probe's own segments may carry; VMs' devices have an MTU of 1,480 or more bytes.
  static var mss: UInt16 { 1400 }
  /// How much the other side may send at once; a probe reads less than this.
  static var window: UInt16 { 16_384 }

  init(
    source: IPv4Address, destination: IPv4Address, sourcePort: UInt16, destinationPort: UInt16,
    sequence: UInt32, acknowledgment: UInt32, flags: TCPFlags, payload: [UInt8]
  ) {
    self.source = source
    self.destination = destination
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.sequence = sequence
    self.acknowledgment = acknowledgment
    self.flags = flags
    self.payload = payload
  }

  /// Reads a packet; nil when it is no whole TCP segment.
  ///
  /// The transport checksum is not looked at: the VM's stack leaves it to the device, which is this process.
  init?(_ packet: [UInt8]) {
    guard packet.count >= 40, packet[0] == 0x45, packet[9] == IPProtocol.tcp.rawValue else { return nil }
    let length = Int(Self.word(packet, 2))
    let header = Int(packet[32] >> 4) * 4
    guard length <= packet.count, header >= 20, 20 + header <= length else { return nil }
    guard Self.word(packet, 6) & 0x3fff == 0 else { return nil }
    source = IPv4Address(number: Self.double(packet, 12))
    destination = IPv4Address(number: Self.double(packet, 16))
    sourcePort = Self.word(packet, 20)
    destinationPort = Self.word(packet, 22)
    sequence = Self.double(packet, 24)
    acknowledgment = Self.double(packet, 28)
    flags = TCPFlags(packet[33])
    payload = Array(packet[(20 + header)..<length])
  }

  /// The packet, with an MSS option when it is a SYN, and with all checksums.
  var packet: [UInt8] {
    let options: [UInt8] = flags.has(.syn) ? [2, 4] + Self.bytes(Self.mss) : []
    let words = UInt8(5 + options.count / 4)
    var segment = Self.bytes(sourcePort) + Self.bytes(destinationPort) + Self.bytes(sequence)
    segment += Self.bytes(acknowledgment) + [words << 4, flags.rawValue] + Self.bytes(Self.window)
    segment += [0, 0, 0, 0] + options + payload
    let length = UInt16(truncatingIfNeeded: segment.count)
    let addresses = Self.bytes(source.number) + Self.bytes(destination.number)
    let pseudo = addresses + [0, IPProtocol.tcp.rawValue] + Self.bytes(length)
    let checksum = Self.bytes(Self.checksum(pseudo + segment))
    segment.replaceSubrange(16..<18, with: checksum)
    var header: [UInt8] = [0x45, 0] + Self.bytes(length + 20) + [0, 0, 0x40, 0, 64, IPProtocol.tcp.rawValue]
    header += [0, 0] + addresses
    header.replaceSubrange(10..<12, with: Self.bytes(Self.checksum(header)))
    return header + segment
  }

  private static func word(_ bytes: [UInt8], _ at: Int) -> UInt16 {
    UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1])
  }
  private static func double(_ bytes: [UInt8], _ at: Int) -> UInt32 {
    UInt32(word(bytes, at)) << 16 | UInt32(word(bytes, at + 2))
  }
  private static func bytes(_ number: UInt16) -> [UInt8] {
    [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
  }
  private static func bytes(_ number: UInt32) -> [UInt8] {
    bytes(UInt16(number >> 16)) + bytes(UInt16(truncatingIfNeeded: number))
  }

  /// RFC 1071, over bytes in network order.
  private static func checksum(_ bytes: [UInt8]) -> UInt16 {
    var sum: UInt32 = 0
    for (index, byte) in bytes.enumerated() { sum += UInt32(byte) << (index & 1 == 0 ? 8 : 0) }
    while sum > 0xffff { sum = (sum & 0xffff) + (sum >> 16) }
    return ~UInt16(sum)
  }
}
