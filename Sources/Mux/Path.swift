import Dataplane
import Wire

/// A packet's way through the multiplexer, step by step; each step has a file of its own.
enum Path {
  /// How a way ends.
  enum End: BitwiseCopyable {
    case drop(DropReason)
    case pass
    /// To a backend; bytes with the outer header.
    case encapsulated(byteCount: Int)
    /// Back to who asked.
    case echoReply(byteCount: Int)
    /// Back to who sent too much at once.
    case fragmentationNeeded(byteCount: Int)
  }

  /// Walks it, generic over the tables, so that the kernel's program takes the same decisions.
  @inline(always) static func walk<Tables: MuxTables & ~Copyable>(
    _ frame: inout Frame, _ offload: inout Offload, _ tables: inout Tables, _ errors: inout ErrorBudget,
    _ settings: MuxSettings, now: UInt32
  ) -> End {
    let packet: ParsedPacket
    switch Parse.packet(frame, tables) {
    case .ours(let parsed): packet = parsed
    case .foreign: return .pass
    case .fault(let reason): return .drop(reason)
    }
    if packet.content == .echoRequest {
      return offload.isPartial ? .drop(.offload) : Emit.echoReply(&frame, packet)
    }
    let target: Target
    switch Match.backend(packet, &tables, now: now) {
    case .target(let found): target = found
    case .foreign: return .pass
    case .fault(let reason): return .drop(reason)
    }
    switch Act.judge(packet, offload, settings) {
    case .encapsulate:
      tables.count(
        target, byteCount: packet.network.totalLength, opens: packet.content == .tcp && packet.flags.opens)
      return Emit.encapsulated(&frame, &offload, packet, from: settings.address, to: target.locator)
    case .tooBig(let answer):
      guard answer, errors.spend(now: now) else { return .drop(.tooBig) }
      return Emit.fragmentationNeeded(&frame, &offload, packet, mtu: settings.mtu &- IPIP.byteCount)
    case .fault(let reason):
      return .drop(reason)
    }
  }
}
