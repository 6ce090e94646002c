import Dataplane
import HostAgent
import Wire

/// Packets of a VM, made in place, so that what is measured is the agent.
struct PortLoad: ~Copyable {
  var agent = HostAgent(flowCapacity: 131_072, seed: 0x5eed)
  private var buffer = [UInt8](repeating: 0, count: 512)
  private let out: [[UInt8]]
  private let back: [[UInt8]]
  static let remotes = (0..<4).map { IPv4Address(192, 0, 2, UInt8($0)) }

  init() {
    out = Self.remotes.map { Bench.sent(from: 0, to: $0).bytes }
    back = Self.remotes.map {
      Packet.wrapped(Packet(source: $0, sourcePort: 443, destinationPort: 0, payload: []).bytes)
    }
    agent.adopt(Bench.map())
  }

  mutating func lease(ports: Int) {
    for number in 0..<((ports + 7) / 8) { agent.lease(Bench.range(number), to: 3, now: 0) }
  }

  /// The leased port by which a segment leaves; 0 when it does not.
  @inline(never) mutating func send(
    _ remote: Int, _ port: UInt16, flags: UInt8, now: UInt32 = 0
  ) -> UInt16 {
    lay(out[remote], at: 20, port)
    buffer[Frame.headroom + 33] = flags
    let verdict = Self.outbound(&agent, &buffer, now)
    guard case .transmit = verdict else { return 0 }
    return UInt16(buffer[Frame.headroom + 20]) << 8 | UInt16(buffer[Frame.headroom + 21])
  }

  /// Whether a segment to a leased port reaches the VM.
  @inline(never) mutating func receive(_ remote: Int, _ port: UInt16, flags: UInt8, now: UInt32 = 0) -> Bool {
    lay(back[remote], at: 42, port)
    buffer[Frame.headroom + 53] = flags
    let verdict = Self.inbound(&agent, &buffer, now)
    if case .deliver = verdict { return true }
    return false
  }

  @inline(always) private static func outbound(
    _ agent: inout HostAgent, _ buffer: inout [UInt8], _ now: UInt32
  ) -> Verdict {
    var offload = Offload()
    var span = buffer.mutableSpan
    return unsafe agent.outbound(span.mutableBytes, byteCount: 40, from: 3, offload: &offload, now: now)
  }

  @inline(always) private static func inbound(
    _ agent: inout HostAgent, _ buffer: inout [UInt8], _ now: UInt32
  ) -> Verdict {
    var offload = Offload()
    var span = buffer.mutableSpan
    return unsafe agent.inbound(span.mutableBytes, byteCount: 60, offload: &offload, now: now)
  }

  private mutating func lay(_ bytes: [UInt8], at place: Int, _ port: UInt16) {
    for at in bytes.indices { buffer[Frame.headroom + at] = bytes[at] }
    buffer[Frame.headroom + place] = UInt8(port >> 8)
    buffer[Frame.headroom + place + 1] = UInt8(truncatingIfNeeded: port)
  }
}
