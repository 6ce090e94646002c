package import Dataplane
package import Wire

/// A packet's way through the multiplexer, step by step; each step has a file of its own.
package enum Path {
  /// What is to be done with a packet.
  package enum Decision: BitwiseCopyable {
    /// Its IPv4 header makes no sense, so nobody can say whose it is.
    case unreadable(DropReason)
    /// Not to one of our VIPs.
    case pass
    case drop(DropReason)
    /// An echo request to a VIP.
    case answerEcho(ParsedPacket)
    /// To an endpoint's backend, or to who has leased the port (`isLeased`).
    case encapsulate(ParsedPacket, Target, isLeased: Bool)
    /// It would not fit; `answer` when its sender asked to be told (DF).
    case tooBig(ParsedPacket, answer: Bool)
  }

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

  /// Parse, Match, Act: decides, and changes no byte of the packet.
  ///
  /// Generic over the tables, so that the kernel's program takes the same decisions.
  @inline(always) package static func decide<Tables: MuxTables & ~Copyable>(
    _ frame: borrowing Frame, _ offload: Offload, _ tables: inout Tables, _ settings: MuxSettings
  ) -> Decision {
    let packet: ParsedPacket
    switch Parse.packet(frame, tables) {
    case .ours(let parsed): packet = parsed
    case .foreign: return .pass
    case .unreadable(let reason): return .unreadable(reason)
    case .fault(let reason): return .drop(reason)
    }
    if packet.content == .echoRequest {
      return offload.isPartial ? .drop(.offload) : .answerEcho(packet)
    }
    let target: Target
    let isLeased: Bool
    switch Match.backend(packet, &tables) {
    case .target(let found): (target, isLeased) = (found, false)
    case .leased(let found): (target, isLeased) = (found, true)
    case .foreign: return .pass
    case .fault(let reason): return .drop(reason)
    }
    switch Act.judge(packet, offload, settings) {
    case .encapsulate: return .encapsulate(packet, target, isLeased: isLeased)
    case .tooBig(let answer): return .tooBig(packet, answer: answer)
    case .fault(let reason): return .drop(reason)
    }
  }

  /// The whole way in user space, with Emit at its end.
  @inline(always) static func walk<Tables: MuxTables & ~Copyable>(
    _ frame: inout Frame, _ offload: inout Offload, _ tables: inout Tables, _ errors: inout ErrorBudget,
    _ settings: MuxSettings
  ) -> End {
    switch decide(frame, offload, &tables, settings) {
    case .pass: return .pass
    case .drop(let reason), .unreadable(let reason): return .drop(reason)
    case .answerEcho(let packet):
      Emit.echoReply(&frame, packet)
      return .echoReply(byteCount: packet.network.totalLength)
    case .encapsulate(let packet, let target, _):
      tables.count(target, byteCount: packet.network.totalLength, opens: packet.opens)
      Emit.encapsulated(&frame, &offload, packet, from: settings.address, to: target.locator)
      return .encapsulated(byteCount: packet.network.totalLength &+ IPIP.byteCount)
    case .tooBig(let packet, let answer):
      guard answer, errors.spend(now: tables.now) else { return .drop(.tooBig) }
      #if KERNEL
      return .drop(.tooBig)
      #else
      return Emit.fragmentationNeeded(&frame, &offload, packet, mtu: settings.mtu &- IPIP.byteCount)
      #endif
    }
  }
}
