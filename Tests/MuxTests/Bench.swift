import Dataplane
import KernelPath
import Mux
import PacketBuilder
import Wire

/// A multiplexer on the bench: packets in, verdicts and bytes out.
struct Bench: ~Copyable {
  static let address: IPv4Address = "10.0.0.1"
  static let client: IPv4Address = "198.51.100.10"
  static let vip: IPv4Address = "203.0.113.10"
  static let emptyVIP: IPv4Address = "203.0.113.30"
  static let plainVIP: IPv4Address = "203.0.113.40"
  static let locators: [IPv4Address] = ["10.1.1.1", "10.1.1.2", "10.1.2.1", "10.1.3.1"]

  /// tcp/80, udp/53 and tcp/443 (by source address) at one VIP; tcp/80 without backends at another.
  static let endpoints: [EndpointConfiguration] = {
    let backends = locators.map { WeightedBackend(locator: $0) }
    return [
      EndpointConfiguration(vip: vip, port: 80, proto: .tcp, backends: backends),
      EndpointConfiguration(vip: vip, port: 53, proto: .udp, idleTimeout: 60_000, backends: backends),
      EndpointConfiguration(
        vip: vip, port: 443, proto: .tcp, affinity: .sourceAndDestination, backends: backends),
      EndpointConfiguration(vip: emptyVIP, port: 80, proto: .tcp, backends: []),
      // Within a range that is leased.
      EndpointConfiguration(vip: vip, port: 8_081, proto: .tcp, backends: backends),
    ]
  }()

  /// Some ports of two VIPs, and of an address that is none.
  static let leases: [SNATRanges.Lease] = [
    SNATRanges.Lease(SNATRange(vip: vip, holding: 1_024), to: "10.2.0.1"),
    SNATRanges.Lease(SNATRange(vip: vip, holding: 8_080), to: "10.2.0.2"),
    SNATRanges.Lease(SNATRange(vip: vip, holding: 65_528), to: "10.2.0.3"),
    SNATRanges.Lease(SNATRange(vip: plainVIP, holding: 2_048), to: "10.2.0.4"),
    SNATRanges.Lease(SNATRange(vip: "203.0.113.11", holding: 2_048), to: "10.2.0.5"),
  ]

  /// `leases` in a table; tests that change leases have one of their own.
  static let ranges: SNATRanges = {
    let ranges = SNATRanges()
    lease(leases, in: ranges)
    return ranges
  }()

  static func lease(_ leases: [SNATRanges.Lease], in ranges: SNATRanges) {
    for lease in leases {
      guard (try? ranges.lease(lease.range, to: lease.locator)) != nil else {
        preconditionFailure("the bench's ranges can be leased")
      }
    }
  }

  /// What came out.
  struct Output {
    var verdict: Verdict
    var bytes: [UInt8]
    var offload: Offload
    /// Headroom, packet, tailroom.
    var memory: [UInt8]
  }

  let counters: MuxCounters
  var map: VIPMap
  var mux: Mux

  init(
    mtu: Int = 1500, endpoints: [EndpointConfiguration] = Bench.endpoints, slotCount: Int = 1_021,
    ranges: SNATRanges = Bench.ranges, flowRecords: Int = 1_024
  ) {
    counters = MuxCounters(rowCount: 256)
    let empty = VIPMap(seed: 42, slotCount: slotCount, counterRows: 256)
    guard let map = try? empty.updated(endpoints: endpoints, vips: [Bench.plainVIP], now: 0) else {
      preconditionFailure("the bench's endpoints make a map")
    }
    self.map = map
    mux = Mux(
      address: Bench.address, mtu: mtu, map: map, ranges: ranges, counters: counters, flowRecords: flowRecords
    )
  }

  /// Changes the configuration.
  mutating func configure(_ endpoints: [EndpointConfiguration], now: UInt32) {
    guard let next = try? map.updated(endpoints: endpoints, vips: [Bench.plainVIP], now: now) else {
      preconditionFailure("the bench's endpoints make a map")
    }
    map = next
    mux.adopt(next)
  }

  /// Goes on with a map that was made by somebody else.
  mutating func takeOver(_ map: VIPMap) {
    self.map = map
    mux.adopt(map)
  }

  /// Sends a packet through.
  mutating func send(_ packet: [UInt8], offload: Offload = Offload(), now: UInt32 = 1_000) -> Output {
    var buffer = FrameBuffer(packet)
    var offload = offload
    let verdict = buffer.withSpan { span in
      mux.process(span, byteCount: packet.count, offload: &offload, now: now)
    }
    var bytes: [UInt8] = []
    if case .transmit(let offset, let byteCount) = verdict {
      bytes = buffer.bytes(from: offset, count: byteCount)
    }
    return Output(verdict: verdict, bytes: bytes, offload: offload, memory: buffer.memory)
  }

  /// Sends a packet through that the kernel's programs have left to user space, and says which backend got it.
  mutating func left(_ packet: Packet, by kernel: MuxKernel, now: UInt32) -> IPv4Address? {
    let bytes = packet.bytes
    var buffer = FrameBuffer(bytes)
    let found = buffer.withSpan { span in mux.connection(in: span, byteCount: bytes.count) }
    guard let found, let record = kernel.record(of: found.connection, number: found.number, now: now) else {
      return locator(packet, now: now)
    }
    mux.borrow(record, of: found.connection, now: now)
    defer { mux.giveBack(found.connection) }
    return locator(packet, now: now)
  }

  /// Sends a packet through, and says which backend got it.
  mutating func locator(_ packet: Packet, now: UInt32 = 1_000) -> IPv4Address? {
    let output = send(packet.bytes, now: now)
    guard output.bytes.count > 20, output.bytes[9] == 4 else { return nil }
    let b = output.bytes
    return IPv4Address(b[16], b[17], b[18], b[19])
  }
}

extension Offload {
  /// What a TUN device says of a TCP super-packet.
  static func tcp(segment: UInt16, headerLength: UInt16 = 40) -> Offload {
    var offload = Offload.partial(checksumOffset: 16)
    offload.gsoType = Offload.gsoTCPv4
    offload.gsoSize = segment
    offload.headerLength = headerLength
    return offload
  }

  /// What a TUN device says of a UDP super-packet.
  static func udp(segment: UInt16) -> Offload {
    var offload = Offload.partial(checksumOffset: 6)
    offload.gsoType = Offload.gsoUDP
    offload.gsoSize = segment
    offload.headerLength = 28
    return offload
  }

  /// What a TUN device says of a packet whose checksum is only begun.
  static func partial(checksumOffset: UInt16, start: UInt16 = 20) -> Offload {
    var offload = Offload()
    offload.flags = Offload.needsChecksum
    offload.checksumStart = start
    offload.checksumOffset = checksumOffset
    return offload
  }
}
