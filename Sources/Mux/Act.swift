import Dataplane
import Wire

/// The third step: may the packet go on as it is?
enum Act {
  enum Outcome: BitwiseCopyable {
    case encapsulate
    /// With the outer header it would not fit; `answer` when its sender asked to be told (DF).
    case tooBig(answer: Bool)
    case fault(DropReason)
  }

  /// Judges what the device left to us, and the size on the wire.
  @inline(always) static func judge(
    _ packet: ParsedPacket, _ offload: Offload, _ settings: MuxSettings
  ) -> Outcome {
    let type = offload.gsoType & ~Offload.gsoECN
    // What one packet on the wire will measure: of a super-packet, one segment.
    var size = packet.network.totalLength
    if type != Offload.gsoNone {
      let matches = type == Offload.gsoTCPv4 ? packet.content == .tcp : type == Offload.gsoUDP && packet.content == .udp
      guard matches, offload.isPartial, offload.gsoSize > 0 else { return .fault(.offload) }
      size = min(size, packet.headerLength &+ Int(offload.gsoSize))
    }
    if offload.isPartial {
      // Without options the transport header always begins here.
      guard offload.checksumStart == UInt16(IPv4Header.byteCount) else { return .fault(.offload) }
    }
    guard size &+ IPIP.byteCount > settings.mtu else { return .encapsulate }
    // RFC 1122 §3.2.2: no error is sent because of an error.
    return .tooBig(answer: packet.network.dontFragment && packet.content != .icmpError)
  }
}
