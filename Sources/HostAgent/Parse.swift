package import Dataplane
package import Wire

/// What can be wrong with a packet's own words, each test before anything relies on it; nil: all is well.
///
/// The kernel's programs ask the same. `Frame.holds` is for them: it follows from the lengths, which the verifier
/// does not know.
package enum Parse {
  /// Where probes come from.
  @inline(always) static var probeSource: IPv4Address { IPv4Address(169, 254, 169, 1) }

  /// Of the outer header of a packet from a MUX.
  @inline(always) package static func faultOfTunnel(_ frame: borrowing Frame) -> DropReason? {
    if let fault = faultOfHeader(frame, at: 0, end: frame.byteCount) { return fault }
    return IPv4Header(at: 0).proto(frame) == .ipip ? nil : .unknownProtocol
  }

  /// Of the packet inside the tunnel, which ends at `end`.
  @inline(always) package static func faultOfPassenger(
    _ frame: borrowing Frame, end outerEnd: Int, _ offload: Offload
  ) -> DropReason? {
    let start = IPv4Header.byteCount
    if let fault = faultOfHeader(frame, at: start, end: outerEnd) { return fault }
    let inner = IPv4Header(at: start)
    let proto = inner.proto(frame)
    let transport = start &+ IPv4Header.byteCount
    guard !isMartian(inner.source(frame)) else { return .martianSource }
    if let fault = faultOfTransport(frame, proto, at: transport, end: start &+ inner.totalLength(frame)) {
      return fault
    }
    return faultOfOffload(offload, proto, at: transport)
  }

  /// Of what lies behind the header of a VM's packet.
  @inline(always) package static func faultOfReply(_ frame: borrowing Frame, _ offload: Offload)
    -> DropReason?
  {
    let header = IPv4Header(at: 0)
    let proto = header.proto(frame)
    let transport = IPv4Header.byteCount
    if let fault = faultOfTransport(frame, proto, at: transport, end: header.totalLength(frame)) {
      return fault
    }
    return faultOfOffload(offload, proto, at: transport)
  }

  /// Of an IPv4 header that begins at `offset`, in a packet that ends at `end`.
  @inline(always) package static func faultOfHeader(
    _ frame: borrowing Frame, at offset: Int, end: Int
  ) -> DropReason? {
    let header = IPv4Header(at: offset)
    guard end &- offset >= IPv4Header.byteCount, frame.holds(offset &+ IPv4Header.byteCount) else {
      return .truncated
    }
    let first = header.versionAndLength(frame)
    guard first == 0x45 else { return first >> 4 == 4 ? .headerLength : .notIPv4 }
    let length = header.totalLength(frame)
    guard length >= IPv4Header.byteCount, length <= end &- offset else { return .truncated }
    guard header.isIntact(frame) else { return .headerChecksum }
    guard !header.isFragment(frame) else { return .fragment }
    guard header.timeToLive(frame) > 0 else { return .timeToLive }
    return nil
  }

  /// Of a TCP, UDP or ICMP header that begins at `offset`, in a packet that ends at `end`.
  @inline(always) static func faultOfTransport(
    _ frame: borrowing Frame, _ proto: IPProtocol, at offset: Int, end: Int
  ) -> DropReason? {
    let length = end &- offset
    if proto == .tcp {
      guard length >= TCPHeader.byteCount, frame.holds(offset &+ TCPHeader.byteCount) else {
        return .truncated
      }
      let header = TCPHeader(at: offset)
      let headerLength = header.headerLength(frame)
      guard headerLength >= TCPHeader.byteCount, headerLength <= length,
        !header.flags(frame).isNonsense
      else { return .transportHeader }
      return nil
    }
    if proto == .udp {
      guard length >= UDPHeader.byteCount, frame.holds(offset &+ UDPHeader.byteCount) else {
        return .truncated
      }
      let said = UDPHeader(at: offset).length(frame)
      return said >= UDPHeader.byteCount && said <= length ? nil : .transportHeader
    }
    guard proto == .icmp else { return .unknownProtocol }
    return length >= ICMPHeader.byteCount ? nil : .truncated
  }

  /// Of what the device left to do, for a packet whose transport header begins at `offset`.
  ///
  /// A super-packet always comes with a checksum that is only begun (virtio 1.2 §5.1.6.2).
  @inline(always) static func faultOfOffload(
    _ offload: Offload, _ proto: IPProtocol, at offset: Int
  ) -> DropReason? {
    guard offload.isPartial || offload.isSuperPacket else { return nil }
    guard offload.isPartial, Int(offload.checksumStart) == offset else { return .offload }
    guard proto == .tcp || proto == .udp else { return .offload }
    let isTCP = proto == .tcp
    let field = isTCP ? TCPHeader.checksumOffset : UDPHeader.checksumOffset
    guard Int(offload.checksumOffset) == field else { return .offload }
    guard offload.isSuperPacket else { return nil }
    let type = offload.gsoType & ~Offload.gsoECN
    guard type == (isTCP ? Offload.gsoTCPv4 : Offload.gsoUDP), offload.gsoSize > 0 else { return .offload }
    return nil
  }

  /// Whether nobody may have this source address: "this network", loopback, multicast and above (RFC 6890), and
  /// the prober's, which no stranger may imitate towards a VM.
  @inline(always) static func isMartian(_ source: IPv4Address) -> Bool {
    let first = source.number >> 24
    return first == 0 || first == 127 || first >= 224 || source == probeSource
  }
}
