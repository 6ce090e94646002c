#if !KERNEL
import Wire

/// A TCP segment that may become part of a super-packet: it carries data, and nothing that needs a packet of
/// its own.
struct BulkSegment: BitwiseCopyable {
  /// Where its IPv4 header begins.
  let offset: Int
  /// From the IPv4 header on.
  let byteCount: Int
  /// IPv4 and TCP with options; a multiple of four.
  let headerByteCount: Int
  /// FIN and PSH, those that it has.
  let endFlags: UInt8

  /// Bytes of data, at least one.
  @inline(always) var payload: Int { byteCount &- headerByteCount }
  /// Whether nothing may be joined behind it.
  @inline(always) var isLast: Bool { endFlags != 0 }

  /// Nil when it is another kind of packet, or contradicts itself or the offload.
  ///
  /// A packet with IP options, a fragment or a damaged IP header is not for us to judge; SYN, RST and URG are
  /// events, and CWR answers one congestion echo and must be seen once (RFC 3168 §6.1.2).
  @inline(always) init?(_ frame: borrowing Frame, at offset: Int, byteCount: Int, offload: Offload) {
    let header = IPv4Header(at: offset)
    let transport = offset &+ IPv4Header.byteCount
    let tcp = TCPHeader(at: transport)
    guard header.versionAndLength(frame) == 0x45, header.proto(frame) == .tcp,
      header.totalLength(frame) == byteCount, header.fragmentWord(frame) & ~0x4000 == 0,
      header.isIntact(frame)
    else { return nil }
    let tcpBytes = tcp.headerLength(frame)
    let flags = tcp.flags(frame).rawValue
    guard tcpBytes >= TCPHeader.byteCount, IPv4Header.byteCount &+ tcpBytes < byteCount,
      flags & 0b1011_0110 == TCPFlags.ack.rawValue, offload.gsoType == Offload.gsoNone
    else { return nil }
    if offload.isPartial {
      guard Int(offload.checksumStart) == IPv4Header.byteCount,
        Int(offload.checksumOffset) == TCPHeader.checksumOffset
      else { return nil }
    }
    self.offset = offset
    self.byteCount = byteCount
    headerByteCount = IPv4Header.byteCount &+ tcpBytes
    endFlags = flags & (TCPFlags.fin | TCPFlags.psh).rawValue
  }

  /// Whether the TCP checksum is right, or somebody answers for it.
  @inline(always) func isIntact(_ frame: borrowing Frame, offload: Offload) -> Bool {
    if offload.flags & (Offload.needsChecksum | Offload.dataValid) != 0 { return true }
    let length = byteCount &- IPv4Header.byteCount
    var sum = Self.pseudoHeader(frame, at: offset, byteCount: length)
    sum.add(frame, from: offset &+ IPv4Header.byteCount, byteCount: length)
    return sum.folded == 0xffff
  }

  /// Whether it continues a super-packet whose headers lie at 0 of `pending`.
  ///
  /// All but length, checksums, FIN and PSH has to be the same, the sequence number the next one. The window,
  /// too, as in the kernel (`tcp_gro_receive` compares the word of the flags, in which it stands): of one that is
  /// left out the receiver would not learn, and a sender of bulk data, who receives little, repeats the same.
  /// Where DF is set the identification says nothing (RFC 6864 §4.1).
  @inline(always) func follows(
    _ pending: borrowing Frame, byteCount pendingBytes: Int, segments: Int, _ frame: borrowing Frame
  ) -> Bool {
    let (header, first) = (IPv4Header(at: offset), IPv4Header(at: 0))
    let transport = offset &+ IPv4Header.byteCount
    let (tcp, firstTCP) = (TCPHeader(at: transport), TCPHeader(at: IPv4Header.byteCount))
    let passed = UInt32(truncatingIfNeeded: pendingBytes &- headerByteCount)
    let words = frame.load32(transport &+ 12) ^ pending.load32(firstTCP.offset &+ 12)
    guard frame.load(offset &+ 12, as: UInt64.self) == pending.load(12, as: UInt64.self),
      frame.load(transport, as: UInt32.self) == pending.load(firstTCP.offset, as: UInt32.self),
      tcp.sequence(frame) == firstTCP.sequence(pending) &+ passed,
      tcp.acknowledgment(frame) == firstTCP.acknowledgment(pending), words & ~0x0009_0000 == 0,
      frame.load(transport &+ 18, as: UInt16.self) == pending.load(firstTCP.offset &+ 18, as: UInt16.self),
      header.typeOfService(frame) == first.typeOfService(pending),
      header.timeToLive(frame) == first.timeToLive(pending),
      header.fragmentWord(frame) == first.fragmentWord(pending)
    else { return false }
    let number = first.identification(pending) &+ UInt16(truncatingIfNeeded: segments)
    guard header.dontFragment(frame) || header.identification(frame) == number else { return false }
    var at = IPv4Header.byteCount &+ TCPHeader.byteCount
    while at < headerByteCount {
      guard frame.load32(offset &+ at) == pending.load32(at) else { return false }
      at &+= 4
    }
    return true
  }

  /// The sum of addresses, protocol and length (RFC 9293 §3.1).
  @inline(always) static func pseudoHeader(
    _ frame: borrowing Frame, at offset: Int, byteCount: Int
  ) -> InternetChecksum {
    let header = IPv4Header(at: offset)
    var sum = InternetChecksum()
    sum.add(header.source(frame).raw)
    sum.add(header.destination(frame).raw)
    sum.add(UInt16(IPProtocol.tcp.rawValue).bigEndian)
    sum.add(UInt16(truncatingIfNeeded: byteCount).bigEndian)
    return sum
  }
}
#endif
