#if !KERNEL
import Wire

/// The headers of a super-packet, after everything they and the device say has been compared.
struct SuperPacketHeaders: BitwiseCopyable {
  /// Where the transport header begins, from the outermost header on.
  let transport: Int
  let isUDP: Bool
  /// Bytes before the payload, from the outermost header on; a multiple of four.
  let byteCount: Int

  /// Nil when something does not fit together.
  ///
  /// The outer length is not asked: it has 16 bits, and a super-packet may be longer than they can say.
  @inline(always) init?(_ frame: borrowing Frame, offset: Int, byteCount total: Int, offload: Offload) {
    guard total >= 2 &* IPv4Header.byteCount, offload.isPartial, offload.gsoSize > 0 else { return nil }
    let outermost = IPv4Header(at: offset)
    guard outermost.versionAndLength(frame) == 0x45 else { return nil }
    let innerOffset = outermost.proto(frame) == .ipip ? IPv4Header.byteCount : 0
    let inner = IPv4Header(at: offset &+ innerOffset)
    guard inner.versionAndLength(frame) == 0x45, !inner.isFragment(frame) else { return nil }
    guard inner.totalLength(frame) == total &- innerOffset else { return nil }
    transport = innerOffset &+ IPv4Header.byteCount
    guard Int(offload.checksumStart) == transport else { return nil }
    let proto = inner.proto(frame)
    switch offload.gsoType & ~Offload.gsoECN {
    case Offload.gsoTCPv4:
      guard proto == .tcp, Int(offload.checksumOffset) == TCPHeader.checksumOffset else { return nil }
      let length = TCPHeader(at: offset &+ transport).headerLength(frame)
      guard length >= TCPHeader.byteCount else { return nil }
      isUDP = false
      byteCount = transport &+ length
    case Offload.gsoUDP:
      guard proto == .udp, Int(offload.checksumOffset) == UDPHeader.checksumOffset else { return nil }
      isUDP = true
      byteCount = transport &+ UDPHeader.byteCount
    default: return nil
    }
    guard byteCount <= total else { return nil }
  }

  /// The sum of addresses and protocol; the length comes with each segment.
  @inline(always) func pseudoHeader(_ frame: borrowing Frame, at offset: Int) -> InternetChecksum {
    let inner = IPv4Header(at: offset &+ transport &- IPv4Header.byteCount)
    var sum = InternetChecksum()
    sum.add(inner.source(frame).raw)
    sum.add(inner.destination(frame).raw)
    sum.add(UInt16(inner.proto(frame).rawValue).bigEndian)
    return sum
  }
}
#endif
