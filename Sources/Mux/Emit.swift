package import Dataplane
package import Wire

/// The last step: the bytes that leave.
package enum Emit {
  /// Bytes of the offending packet that an ICMP error quotes: all of its headers and some payload, and
  /// within what every buffer holds (RFC 1812 §4.3.2.3 allows 548).
  static var quotedBytes: Int { 128 }
  /// Where an ICMP error begins: the offending packet stays in its place and is quoted there.
  @inline(always) static var errorOffset: Int { -(IPv4Header.byteCount &+ ICMPHeader.byteCount) }

  /// The packet behind an outer header, itself untouched.
  @inline(always) package static func encapsulated(
    _ frame: inout Frame, _ offload: inout Offload, _ packet: ParsedPacket, from source: IPv4Address,
    to locator: IPv4Address
  ) {
    IPIP.encapsulate(
      &frame, packetAt: 0, byteCount: packet.network.totalLength, from: source, to: locator)
    if offload.isPartial { offload.checksumStart &+= UInt16(IPIP.byteCount) }
    if offload.headerLength > 0 { offload.headerLength &+= UInt16(IPIP.byteCount) }
  }

  /// The echo request turned round: addresses change places, and two words change (RFC 792, RFC 1624).
  @inline(always) package static func echoReply(_ frame: inout Frame, _ packet: ParsedPacket) {
    let header = IPv4Header(at: 0)
    let icmp = ICMPHeader(at: IPv4Header.byteCount)
    frame.store(packet.network.destination.raw, at: 12)
    frame.store(packet.network.source.raw, at: 16)
    let old = frame.load(8, as: UInt16.self)
    let new = (UInt16(IPIP.timeToLive) << 8 | UInt16(IPProtocol.icmp.rawValue)).bigEndian
    frame.store(new, at: 8)
    frame.store(InternetChecksum.updated(header.checksum(frame), from: old, to: new), at: 10)
    icmp.setTypeAndCode(.echoReply, 0, &frame)
    let request = (UInt16(ICMPType.echoRequest.rawValue) << 8).bigEndian
    icmp.setChecksum(InternetChecksum.updated(icmp.checksum(frame), from: request, to: 0), &frame)
  }

  #if !KERNEL
  /// "Fragmentation needed and DF set" (RFC 792, RFC 1191) before the packet that caused it.
  ///
  /// It comes from the VIP: that is who the client talks to, and an address that the client's network lets
  /// in.
  @inline(always) static func fragmentationNeeded(
    _ frame: inout Frame, _ offload: inout Offload, _ packet: ParsedPacket, mtu: Int
  ) -> Path.End {
    let length = min(packet.network.totalLength, quotedBytes) &- errorOffset
    let icmp = IPv4Header.byteCount &+ errorOffset
    frame.store32(
      UInt32(ICMPType.unreachable.rawValue) << 24 | UInt32(ICMPHeader.fragmentationNeeded) << 16, at: icmp)
    frame.store32(UInt32(mtu), at: icmp &+ 4)
    var sum = InternetChecksum()
    sum.add(frame, from: icmp, byteCount: length &- IPv4Header.byteCount)
    frame.store(sum.value, at: icmp &+ 2)
    frame.store32(0x45c0_0000 | UInt32(length), at: errorOffset)
    frame.store32(0x0000_4000, at: errorOffset &+ 4)
    frame.store32(
      UInt32(IPIP.timeToLive) << 24 | UInt32(IPProtocol.icmp.rawValue) << 16, at: errorOffset &+ 8)
    frame.store(packet.network.destination.raw, at: errorOffset &+ 12)
    frame.store(packet.network.source.raw, at: errorOffset &+ 16)
    var header = InternetChecksum()
    header.add(frame, from: errorOffset, byteCount: IPv4Header.byteCount)
    frame.store(header.value, at: errorOffset &+ 10)
    offload = Offload()
    return .fragmentationNeeded(byteCount: length)
  }
  #endif
}
