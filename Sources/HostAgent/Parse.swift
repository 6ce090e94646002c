import Dataplane
import Wire

/// What can be wrong with a packet's own words, each test before anything relies on it; nil: all is well.
enum Parse {
  /// Of an IPv4 header that begins at `offset`, in a packet that ends at `end`.
  @inline(always) static func faultOfHeader(
    _ frame: borrowing Frame, at offset: Int, end: Int
  ) -> DropReason? {
    let header = IPv4Header(at: offset)
    guard end &- offset >= IPv4Header.byteCount else { return .truncated }
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
      guard length >= TCPHeader.byteCount else { return .truncated }
      let header = TCPHeader(at: offset)
      let headerLength = header.headerLength(frame)
      guard headerLength >= TCPHeader.byteCount, headerLength <= length,
        !header.flags(frame).isNonsense
      else { return .transportHeader }
      return nil
    }
    if proto == .udp {
      guard length >= UDPHeader.byteCount else { return .truncated }
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
    return first == 0 || first == 127 || first >= 224 || source == HostAgent.probeSource
  }
}
