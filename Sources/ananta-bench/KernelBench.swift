import Dataplane
import KernelPath
import Platform
import Wire

/// The MUX's program inside the kernel under load.
///
/// Every round sends as many packets to an empty program (XDP_TX), and the difference is what the MUX costs.
final class KernelBench {
  /// A load, and what has to become of it.
  struct Load {
    var name: String
    var destination = vip
    var port: UInt16 = settledPort
    var flags = TCPFlags.ack
    var order = KernelLoad.Order.random
    var flowCount: UInt32
    /// Ports that connections go to, from `port` on; 0 for that one.
    var portCount: UInt16 = 0
    var isEncapsulated = true
    /// Whether each connection shows itself once before the first round.
    var isRecorded = false
  }

  static let vip = IPv4Address(203, 0, 113, 1)
  static let settledPort: UInt16 = 80
  static let movingPort: UInt16 = 81
  /// From here on all ports of the VIP are leased.
  static let firstLeased: UInt16 = 1_024
  static let leasedPorts: UInt16 = 64_512
  /// An Ethernet frame of 64 bytes: 14 of Ethernet, 40 of IPv4 and TCP, 10 of payload.
  static let frameBytes = 64

  static let loads = [
    Load(name: "XDP: settled slot, 1 flow", order: .one, flowCount: 1),
    Load(name: "XDP: settled slot, 1,000,000 flows", flowCount: 1_000_000),
    Load(name: "XDP: SYN flood, each SYN a new flow", flags: .syn, order: .sequential, flowCount: .max),
    Load(name: "XDP: recorded flow, 1 flow", port: movingPort, order: .one, flowCount: 1, isRecorded: true),
    Load(name: "XDP: recorded flows, 100,000", port: movingPort, flowCount: 100_000, isRecorded: true),
    Load(name: "XDP: SNAT range, 1 flow", port: firstLeased, order: .one, flowCount: 1),
    Load(
      name: "XDP: SNAT ranges, 1,000,000 flows", port: firstLeased, flowCount: 1_000_000,
      portCount: leasedPorts),
    Load(
      name: "XDP: not to a VIP", destination: IPv4Address(203, 0, 113, 2), flowCount: 1_000_000,
      isEncapsulated: false),
  ]

  private let lab: KernelLab
  private let kernel: MuxKernel
  private let replay: KernelReplay
  private let packets: Int
  /// CPU nanoseconds of a call that makes next to no packets.
  private var fixed: Double = 0
  private var prepared: String?

  init(packets: Int) throws {
    self.packets = packets
    lab = try KernelLab()
    let seed: UInt64 = 0x5eed
    let kernel = try MuxKernel(KernelSettings(seed: seed, address: IPv4Address(10, 0, 0, 1), mtu: 1500))
    let now = UInt32(truncatingIfNeeded: MonotonicClock.milliseconds)
    let before = try VIPMap(seed: seed).updated(endpoints: Self.endpoints(movingFrom: 0x0a02_0001), now: now)
    let map = try before.updated(endpoints: Self.endpoints(movingFrom: 0x0a03_0001), now: now)
    try kernel.install(try KernelImage(map, after: nil))
    // The lab's.
    guard let device = KernelDevice(index: lab.device, address: [0x02, 0, 0, 0, 0, 0x02]) else {
      preconditionFailure("6 bytes")
    }
    try kernel.admit(device)
    try Self.lease(kernel.ranges)
    replay = try KernelReplay(kernel)
    self.kernel = kernel
  }

  /// One endpoint that is settled, and one all of whose backends are exchanged for others, so that every slot moves.
  private static func endpoints(movingFrom first: UInt32) -> [EndpointConfiguration] {
    [(settledPort, 0x0a01_0001), (movingPort, first)].map { port, first in
      EndpointConfiguration(
        vip: vip, port: port, proto: .tcp, idleTimeout: 3_600_000,
        backends: (0..<100).map { WeightedBackend(locator: IPv4Address(number: first + $0)) })
    }
  }

  /// A million ranges: all of this VIP and of those behind it, of 1,000 VMs.
  private static func lease(_ ranges: SNATRanges) throws(SNATRangeError) {
    let perVIP = Int(leasedPorts) / 8
    for number in 0..<1_000_000 {
      let port = firstLeased + UInt16(8 * (number % perVIP))
      let range = SNATRange(vip: IPv4Address(number: vip.number + UInt32(number / perVIP)), holding: port)
      try ranges.lease(range, to: IPv4Address(number: 0x0a04_0001 + UInt32(number % 1_000)))
    }
  }

  private static let floorName = "XDP: floor, an empty program"
  /// What there is to be measured.
  static var names: [String] { [floorName] + loads.map(\.name) + VethBench.names }

  /// All loads, after the floor they stand on.
  func measurements() -> [Measurement] {
    let floor = Measurement(Self.floorName, unit: "ns/packet") {
      try self.prepare(Self.loads[1])
      return try self.cost(.floor, Self.loads[1])
    }
    return [floor]
      + Self.loads.map { load in
        Measurement(load.name, unit: "ns/packet above it") {
          try self.prepare(load)
          let floor = try self.cost(.floor, load)
          return try self.cost(.mux, load) - floor
        }
      }
      + VethBench(lab, kernel, replay, frame: Self.frame(Self.loads[1]), packets: packets / 4).measurements()
  }

  /// Before a load's first round.
  private func prepare(_ load: Load) throws {
    guard prepared != load.name else { return }
    prepared = load.name
    let frame = Self.frame(load)
    if load.isRecorded {
      replay.prepare(frame, .sequential, flowCount: load.flowCount)
      try check(try run(.mux, Int(load.flowCount)), load, Int(load.flowCount))
    }
    replay.prepare(frame, load.order, flowCount: load.flowCount, portCount: load.portCount)
    // A call sets up and tears down, and the kernel patches itself; that is none of the packets' business.
    let calls = try (0..<9).map { _ in Double(try run(.floor, 2).nanoseconds) }
    fixed = calls.sorted()[calls.count / 2]
  }

  /// Nanoseconds per packet.
  private func cost(_ subject: KernelReplay.Subject, _ load: Load) throws -> Double {
    let outcome = try run(subject, packets)
    if case .mux = subject { try check(outcome, load, packets) }
    return (Double(outcome.nanoseconds) - fixed) / Double(packets)
  }

  private func run(_ subject: KernelReplay.Subject, _ packets: Int) throws -> KernelReplay.Outcome {
    try lab.namespace.run { () throws(PlatformError) in
      try replay.run(subject, packets: packets, device: lab.device)
    }
  }

  /// A packet that went another way than it should have makes the figure worthless.
  private func check(_ outcome: KernelReplay.Outcome, _ load: Load, _ packets: Int) throws {
    let expected = load.isEncapsulated ? outcome.encapsulated : outcome.unchanged
    guard expected == UInt64(packets), outcome.returnValue == (load.isEncapsulated ? 3 : 2) else {
      throw BenchFailure(
        """
        \(load.name): of \(packets) packets \(outcome.encapsulated) were encapsulated, \(outcome.unchanged) left as \
        they were, \(outcome.failed) lost; the last one's verdict was \(outcome.returnValue).
        """)
    }
  }

  /// The first connection's packet: the other connections have other sources and ports.
  private static func frame(_ load: Load) -> [UInt8] {
    let source = IPv4Address(11, 0, 0, 0)
    var header: [UInt32] = [
      0x4500_0000 | UInt32(frameBytes - 14), 0x0000_4000, 0x4006_0000, source.number, load.destination.number,
    ]
    var sum = InternetChecksum()
    for word in header { sum.add(word.bigEndian) }
    header[2] |= UInt32(UInt16(bigEndian: sum.value))
    header += [1_024 << 16 | UInt32(load.port), 1, 1, 0x5000_0000 | UInt32(load.flags.rawValue) << 16, 0]
    let ethernet: [UInt8] = [0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01, 0x08, 0x00]
    let words = header.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }
    return ethernet + words + [UInt8](repeating: 0x5a, count: frameBytes - 14 - words.count)
  }
}
