import Dataplane
import Wire

/// A packet as a test writes it down; `bytes` is how it lies on a wire.
struct Packet {
  var source = client
  var destination = vip
  var proto = IPProtocol.tcp
  var sourcePort: UInt16 = 40_000
  var destinationPort: UInt16 = 80
  var flags: UInt8 = 0x10
  var sequence: UInt32 = 1000
  var options: [UInt8] = []
  var payload: [UInt8] = Array("GET / HTTP/1.1\r\n\r\n".utf8)
  var service: UInt8 = 0
  var timeToLive: UInt8 = 60
  var fragmentWord: UInt16 = 0x4000
  /// Whether the transport checksum holds only the pseudo header's sum.
  var isPartial = false
  /// UDP without checksum.
  var hasChecksum = true

  var bytes: [UInt8] { Self.ip(source, destination, proto, transport, service, timeToLive, fragmentWord) }

  /// As the device describes it, without a header before it.
  var offload: Offload { offload(at: 20) }

  /// As the device describes it, with its transport header at `start`.
  func offload(at start: UInt16, size: UInt16 = 0) -> Offload {
    var offload = Offload()
    guard isPartial else { return offload }
    offload.flags = Offload.needsChecksum
    offload.checksumStart = start
    offload.checksumOffset = proto == .tcp ? 16 : 6
    if size > 0 {
      offload.gsoType = proto == .tcp ? Offload.gsoTCPv4 : Offload.gsoUDP
      offload.gsoSize = size
      offload.headerLength = start + (proto == .tcp ? 20 + UInt16(options.count) : 8)
    }
    return offload
  }

  private var transport: [UInt8] {
    var segment = sourcePort.octets + destinationPort.octets
    let field: Int
    if proto == .tcp {
      segment += sequence.octets + UInt32(7000).octets + [UInt8(5 + options.count / 4) << 4, flags]
      segment += [0x20, 0, 0, 0, 0, 0] + options + payload
      field = 16
    } else if proto == .udp {
      segment += UInt16(8 + payload.count).octets + [0, 0] + payload
      field = 6
    } else {
      return payload
    }
    let pseudo = Reference.pseudoHeader(source, destination, proto, segment.count)
    var sum = isPartial ? Reference.sum(pseudo) : ~Reference.sum(pseudo + segment)
    if proto == .udp && sum == 0 { sum = 0xffff }
    if hasChecksum { segment.replaceSubrange(field..<(field + 2), with: sum.octets) }
    return segment
  }

  /// An IPv4 packet around a payload.
  static func ip(
    _ source: IPv4Address, _ destination: IPv4Address, _ proto: IPProtocol, _ payload: [UInt8],
    _ service: UInt8 = 0, _ timeToLive: UInt8 = 64, _ fragmentWord: UInt16 = 0x4000
  ) -> [UInt8] {
    var header: [UInt8] = [0x45, service] + UInt16(truncatingIfNeeded: 20 + payload.count).octets
    header += [0x12, 0x34] + fragmentWord.octets + [timeToLive, proto.rawValue, 0, 0]
    header += source.number.octets + destination.number.octets
    header.replaceSubrange(10..<12, with: (~Reference.sum(header)).octets)
    return header + payload
  }

  /// What a MUX makes of a packet.
  static func wrapped(
    _ inner: [UInt8], from source: IPv4Address = mux, to locator: IPv4Address = locator1, service: UInt8 = 0
  ) -> [UInt8] {
    ip(source, locator, .ipip, inner, service)
  }

  /// An ICMP error that quotes the first bytes of a packet.
  static func error(
    from source: IPv4Address, to destination: IPv4Address, type: UInt8 = 3, code: UInt8 = 4,
    quoting packet: [UInt8], count: Int = 28
  ) -> [UInt8] {
    var message: [UInt8] = [type, code, 0, 0, 0, 0, 0x05, 0x78] + packet.prefix(count)
    message.replaceSubrange(2..<4, with: (~Reference.sum(message)).octets)
    return ip(source, destination, .icmp, message, 0xc0)
  }
}

extension FixedWidthInteger where Self: UnsignedInteger {
  /// In network order.
  var octets: [UInt8] {
    (0..<(bitWidth / 8)).reversed().map { UInt8(truncatingIfNeeded: self >> ($0 * 8)) }
  }
}
