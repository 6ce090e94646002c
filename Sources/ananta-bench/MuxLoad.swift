import Dataplane
import Mux
import Wire

/// A multiplexer under load: frames in one block of memory, judged in order, over and over.
@safe final class MuxLoad {
  static let frameSize = 256
  /// What a client sends: 64 bytes of payload behind a TCP header.
  static let byteCount = 104
  private let frames: UnsafeMutableRawPointer
  private let frameCount: Int
  private let packets: Int
  private var mux: Mux

  /// `flows` connections, of which each packet belongs to another, spread over `endpoints` ports.
  init(flows: Int, endpoints: Int, flags: TCPFlags, packets: Int) throws(VIPMapError) {
    self.packets = packets
    frameCount = flows
    unsafe frames = .allocate(byteCount: flows * Self.frameSize, alignment: 64)
    unsafe frames.initializeMemory(as: UInt8.self, repeating: 0, count: flows * Self.frameSize)
    let backends = (0..<100).map { WeightedBackend(locator: IPv4Address(number: 0x0a01_0001 + UInt32($0))) }
    let configurations = (0..<endpoints).map { number in
      EndpointConfiguration(
        vip: IPv4Address(number: 0xcb00_7100 + UInt32(number / 100)), port: UInt16(number % 100 + 1), proto: .tcp,
        backends: backends)
    }
    let map = try VIPMap(seed: 0x5eed).updated(endpoints: configurations, now: 0)
    mux = Mux(address: IPv4Address(10, 0, 0, 1), map: map, counters: MuxCounters())
    for flow in 0..<flows { lay(flow, to: configurations[flow % endpoints].address, flags) }
  }

  deinit { unsafe frames.deallocate() }

  /// Writes a packet as a client would have sent it; in an order that is not that of memory.
  private func lay(_ flow: Int, to endpoint: EndpointAddress, _ flags: TCPFlags) {
    let scattered = UInt32(truncatingIfNeeded: flow &* 2_654_435_761)
    let start = unsafe frames + flow * Self.frameSize
    let buffer = unsafe MutableRawSpan(_unsafeStart: start, byteCount: Self.frameSize)
    guard var frame = Frame(buffer, byteCount: Self.byteCount) else { return }
    frame.store32(0x4500_0000 | UInt32(Self.byteCount), at: 0)
    frame.store32(0x0000_4000, at: 4)
    frame.store32(0x4006_0000, at: 8)
    frame.store32(0xc633_0000 | scattered >> 16, at: 12)
    frame.store(endpoint.vip.raw, at: 16)
    frame.store16(UInt16(truncatingIfNeeded: scattered), at: 20)
    frame.store16(endpoint.port, at: 22)
    frame.store16(0x5000 | UInt16(flags.rawValue), at: 32)
    var sum = InternetChecksum()
    sum.add(frame, from: 0, byteCount: 20)
    frame.store(sum.value, at: 10)
  }

  /// Nanoseconds per packet of one round.
  func round() -> Double {
    var transmitted = 0
    let time = Measurement.nanoseconds {
      var place = 0
      for packet in 0..<packets {
        let start = unsafe frames + place &* Self.frameSize
        let buffer = unsafe MutableRawSpan(_unsafeStart: start, byteCount: Self.frameSize)
        var offload = Offload()
        let verdict = mux.process(
          buffer, byteCount: Self.byteCount, offload: &offload, now: UInt32(truncatingIfNeeded: packet / 1_024))
        if case .transmit = verdict { transmitted &+= 1 }
        place = place &+ 1 == frameCount ? 0 : place &+ 1
      }
    }
    precondition(transmitted == packets, "every packet of the load is sent on")
    return time / Double(packets)
  }

  /// The loads that the design is judged by (kernel-swift figures: one flow, a million, SYNs only).
  static func measurements(packets: Int) throws -> [Measurement] {
    let loads: [(String, flows: Int, endpoints: Int, flags: TCPFlags)] = [
      ("Mux.process, 1 flow", 1, 1, .ack),
      ("Mux.process, 1,000 flows", 1_000, 1, .ack),
      ("Mux.process, 1,000,000 flows", 1_000_000, 1, .ack),
      ("Mux.process, SYN flood", 1_000_000, 1, .syn),
      ("Mux.process, 1,000 flows, 1,000 endpoints", 1_000, 1_000, .ack),
      ("Mux.process, 1,000,000 flows, 1,000 endpoints", 1_000_000, 1_000, .ack),
    ]
    return loads.map { load in
      var kept: MuxLoad?
      return Measurement(load.0, unit: "ns/packet") {
        if kept == nil {
          kept = try? MuxLoad(flows: load.flows, endpoints: load.endpoints, flags: load.flags, packets: packets)
        }
        return kept?.round() ?? .nan
      }
    }
  }
}
