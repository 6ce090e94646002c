import Dataplane
import Wire

/// The first step, which asks whether the headers are sound and the packet is to one of our VIPs.
enum Parse {
  enum Outcome: BitwiseCopyable {
    /// Sound, and perhaps to one of our VIPs: `Match` will see.
    case ours(ParsedPacket)
    /// Sound as far as it matters, and not ours.
    case foreign
    /// Its IPv4 header makes no sense.
    case unreadable(DropReason)
    case fault(DropReason)
  }

  /// Reads the packet.
  ///
  /// What is wrong behind the IPv4 header is held against packets to our VIPs only; the others
  /// are the stack's business.
  @inline(always) static func packet<Tables: MuxTables & ~Copyable>(
    _ frame: borrowing Frame, _ tables: borrowing Tables
  ) -> Outcome {
    let network: IPv4Packet
    switch IPv4Packet.parse(frame, at: 0) {
    case .value(let parsed): network = parsed
    case .fault(let reason): return .unreadable(reason)
    }
    switch ParsedPacket.parse(frame, network) {
    case .value(let packet):
      // A router must not have forwarded it (RFC 1812 §5.3.1). The MUX itself does not count as a hop.
      guard network.timeToLive > 0 else { return .fault(.timeToLive) }
      if packet.content == .echoRequest, !tables.isVIP(network.destination) { return .foreign }
      return .ours(packet)
    case .fault(let reason):
      return tables.isVIP(network.destination) ? .fault(reason) : .foreign
    }
  }
}
