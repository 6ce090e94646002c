import Dataplane
import HostAgent
import Wire

let client = IPv4Address(198, 51, 100, 10)
let vip = IPv4Address(203, 0, 113, 10)
let vip2 = IPv4Address(203, 0, 113, 20)
let mux = IPv4Address(10, 1, 1, 2)
let locator1 = IPv4Address(10, 64, 1, 1)
let locator2 = IPv4Address(10, 64, 1, 2)
/// Both tenants use it.
let dip = IPv4Address(10, 0, 0, 11)
let router = IPv4Address(192, 0, 2, 1)

/// What became of a packet.
struct Fate {
  var verdict: Verdict
  /// From the verdict's offset on; empty when it was dropped.
  var bytes: [UInt8]
  var offload: Offload

  var reason: DropReason? {
    if case .drop(let reason) = verdict { return reason }
    return nil
  }
  var machine: UInt32? {
    if case .deliver(let machine, _, _) = verdict { return machine }
    return nil
  }
  var isTransmitted: Bool {
    if case .transmit = verdict { return true }
    return false
  }
  var isPassed: Bool {
    if case .pass = verdict { return true }
    return false
  }
  /// Where it waits.
  var slot: Int? {
    if case .hold(let slot) = verdict { return slot }
    return nil
  }
  var tuple: FiveTuple { Reference.tuple(bytes) }
}

/// A host agent on a bench: packets in as arrays, packets out as arrays.
struct Bench: ~Copyable {
  var agent: HostAgent
  var now: UInt32 = 1_000_000

  init(_ map: HostMap? = nil, flowCapacity: Int = 1024) {
    agent = HostAgent(flowCapacity: flowCapacity, seed: 0x5eed)
    agent.adopt(map ?? Self.map())
  }

  /// Two tenants with the same DIP; the first serves tcp/80 → 8080 and udp/53, the second tcp/80.
  static func map(
    machines: [HostMap.Machine] = [
      .init(index: 3, locator: locator1, dip: dip, mtu: 1480),
      .init(index: 7, locator: locator2, dip: dip, mtu: 1480),
    ], endpoints: [HostMap.Endpoint] = standardEndpoints
  ) -> HostMap {
    do {
      return try HostMap(muxes: [mux], machines: machines, endpoints: endpoints)
    } catch {
      preconditionFailure("bad map: \(error)")
    }
  }

  static let standardEndpoints = [
    endpoint(3, vip, .tcp, 80, 8080), endpoint(3, vip, .udp, 53, 53, idle: 60_000),
    endpoint(7, vip2, .tcp, 80, 80),
  ]

  static func endpoint(
    _ machine: UInt32, _ vip: IPv4Address, _ proto: IPProtocol, _ port: UInt16, _ backendPort: UInt16,
    idle: UInt32 = 240_000
  ) -> HostMap.Endpoint {
    .init(
      machine: machine, vip: vip, proto: proto, port: port, backendPort: backendPort, idleMilliseconds: idle)
  }

  mutating func inbound(_ packet: [UInt8], offload: Offload = Offload()) -> Fate {
    var buffer = Self.buffer(packet)
    var offload = offload
    var bytes = buffer.mutableSpan
    let verdict = unsafe agent.inbound(
      bytes.mutableBytes, byteCount: packet.count, offload: &offload, now: now)
    return Self.fate(verdict, buffer, offload)
  }

  mutating func outbound(_ packet: [UInt8], from machine: UInt32 = 3, offload: Offload = Offload()) -> Fate {
    var buffer = Self.buffer(packet)
    var offload = offload
    var bytes = buffer.mutableSpan
    let verdict = unsafe agent.outbound(
      bytes.mutableBytes, byteCount: packet.count, from: machine, offload: &offload, now: now)
    return Self.fate(verdict, buffer, offload)
  }

  private static func buffer(_ packet: [UInt8]) -> [UInt8] {
    [UInt8](repeating: 0xee, count: Frame.headroom) + packet
      + [UInt8](repeating: 0xee, count: max(0, Frame.guaranteed - packet.count))
  }

  private static func fate(_ verdict: Verdict, _ buffer: [UInt8], _ offload: Offload) -> Fate {
    var bytes: [UInt8] = []
    switch verdict {
    case .deliver(_, let offset, let byteCount), .transmit(let offset, let byteCount):
      bytes = Array(buffer[(Frame.headroom + offset)..<(Frame.headroom + offset + byteCount)])
    case .drop, .pass, .hold: break
    }
    return Fate(verdict: verdict, bytes: bytes, offload: offload)
  }
}
