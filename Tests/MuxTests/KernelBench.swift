import Dataplane
import Foundation
import KernelPath
import Mux
import PacketBuilder
import Platform
import Wire

/// A multiplexer in user space and one in the kernel, with the same tables: packets in, both verdicts and bytes out.
///
/// The kernel's programs run by BPF_PROG_TEST_RUN within a namespace whose only route leads to a gateway with a known
/// MAC address, so that every next hop can be found.
final class KernelBench {
  static let isRoot = geteuid() == 0
  static let namespaceName = "parity-\(ProcessInfo.processInfo.processIdentifier)"
  static let ethernet: [UInt8] = [0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01, 0x08, 0x00]
  /// To the gateway, from the device.
  static let outgoing: [UInt8] = [0x02, 0, 0, 0, 0, 0x01, 0x02, 0, 0, 0, 0, 0x02, 0x08, 0x00]

  /// What is to become of a packet, or has become of it.
  enum Fate: Equatable {
    /// Into the stack, which may hand it to user space.
    case stack
    case dropped
    case sent([UInt8])
  }

  var bench: Bench
  private(set) var kernel: MuxKernel
  private(set) var image: KernelImage
  /// Records of another version that are counted.
  private var adopted: Set<KernelFlowKey> = []
  private let files: BPFFilesystem
  let device: Int32

  /// Inside the namespace only.
  private init(_ bench: consuming Bench, device: Int32, mountPoint: String) throws {
    let files = try BPFFilesystem.open(mountPoint + "/mux", mountingAt: mountPoint)
    kernel = try Self.load(seed: bench.map.hash.seed, files)
    try Self.admit(device, to: kernel)
    image = try KernelImage(bench.map, after: nil)
    try kernel.install(image)
    self.files = files
    self.bench = bench
    self.device = device
    Bench.lease(Bench.leases, in: kernel.ranges)
    self.bench.mux.adopt(kernel.ranges)
  }

  private static func load(seed: UInt64, _ files: borrowing BPFFilesystem) throws -> MuxKernel {
    var paths: [String: String] = [:]
    for name in MuxKernel.mapNames { paths[name] = try files.path(name) }
    let settings = KernelSettings(seed: seed, address: Bench.address, mtu: 1500)
    return try MuxKernel(settings, pinnedAt: { name in paths[name] ?? name })
  }

  private static func admit(_ device: Int32, to kernel: MuxKernel) throws {
    guard let own = KernelDevice(index: device, address: Array(ethernet.prefix(6))) else {
      throw CommandFailed(words: ["admit"])
    }
    try kernel.admit(own)
  }

  /// Another agent takes the maps over: nothing of the first one's memory is left.
  func restart(_ endpoints: [EndpointConfiguration], now: UInt32) throws {
    kernel = try Self.load(seed: bench.map.hash.seed, files)
    bench.mux.adopt(kernel.ranges)
    guard let remains = try kernel.remains() else { throw CommandFailed(words: ["remains"]) }
    let restored = VIPMap(
      restoring: remains, seed: bench.map.hash.seed, slotCount: bench.map.slotCount, counterRows: 256)
    bench.takeOver(restored)
    bench.configure(endpoints, now: now)
    image = try KernelImage(bench.map, after: nil, replacing: remains)
    try kernel.install(image)
  }

  /// An agent of another version comes, which can read nothing but records, or not even those.
  func upgrade(_ endpoints: [EndpointConfiguration], now: UInt32, from version: KernelVersion?) throws {
    let definition = BPFMapDefinition("layout", .array, keySize: 4, valueSize: 16, maxEntries: 1)
    guard let layout = try BPFMap.open(pinned: try files.path("layout"), definition) else {
      throw CommandFailed(words: ["layout"])
    }
    if let version { try layout.update(UInt32(0), to: version) }
    kernel = try Self.load(seed: bench.map.hash.seed, files)
    try Self.admit(device, to: kernel)
    bench.takeOver(VIPMap(seed: bench.map.hash.seed, slotCount: bench.map.slotCount, counterRows: 256))
    bench.configure(endpoints, now: now)
    image = try KernelImage(bench.map, after: nil)
    try kernel.install(image)
    adopted = kernel.inheritance == .all ? [] : try kernel.adoptRecords(image)
  }

  /// The programs of the version before see no packet any more.
  func finishUpgrade() throws {
    try kernel.adoptRecords(image, known: adopted)
    try kernel.declareCurrent()
  }

  /// Makes the namespace, does something in it, and removes it.
  static func run(
    _ name: String, endpoints: [EndpointConfiguration] = Bench.endpoints, slotCount: Int = 1_021,
    _ body: (KernelBench) throws -> Void
  ) throws {
    let name = "\(namespaceName)-\(name)"
    let mountPoint = NSTemporaryDirectory() + name
    try ip(["netns", "add", name])
    defer {
      try? ip(["netns", "delete", name])
      try? command(["umount", mountPoint])
      try? command(["rmdir", mountPoint])
    }
    let lines = [
      "link add uplink address 02:00:00:00:00:02 type veth peer name gateway", "link set uplink up",
      "link set gateway up", "addr add 10.0.0.1/24 dev uplink", "route add default via 10.0.0.254",
      "neigh add 10.0.0.254 lladdr 02:00:00:00:00:01 dev uplink nud permanent",
    ]
    for line in lines { try ip(["-n", name] + line.split(separator: " ").map(String.init)) }
    var failure: (any Error)?
    let namespace = try NetworkNamespace.open(named: name)
    try namespace.run { () throws(PlatformError) in
      do {
        try Data("1".utf8).write(to: URL(filePath: "/proc/sys/net/ipv4/conf/uplink/forwarding"))
        let device = Int32(unsafe if_nametoindex("uplink"))
        // Room for every flow of a test: the kernel has it, too.
        let bench = Bench(endpoints: endpoints, slotCount: slotCount, flowRecords: 65_536)
        try body(try KernelBench(bench, device: device, mountPoint: mountPoint))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  private static func ip(_ words: [String]) throws { try command(["ip"] + words) }

  private static func command(_ words: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CommandFailed(words: words) }
  }

  /// Changes both.
  func configure(_ endpoints: [EndpointConfiguration], now: UInt32) throws {
    bench.configure(endpoints, now: now)
    try install(bench.map)
  }

  /// Shows the kernel a map, which user space need not have.
  func install(_ map: VIPMap) throws {
    image = try KernelImage(map, after: image)
    try kernel.install(image)
  }

  static var now: UInt32 { UInt32(truncatingIfNeeded: MonotonicClock.milliseconds) }

  /// What the kernel has to count: drops by reason, what goes to backends, by locator, and to leaseholders, by VIP.
  private(set) var drops: [DropReason: UInt64] = [:]
  private(set) var sent: [IPv4Address: Sent] = [:]

  struct Sent: Equatable {
    var packets: UInt64 = 0
    var bytes: UInt64 = 0
  }

  private func count(_ packet: [UInt8]) {
    let locator = IPv4Address(packet[16], packet[17], packet[18], packet[19])
    let isLeaseholder = Bench.leases.contains { $0.locator == locator }
    let owner = isLeaseholder ? IPv4Address(packet[36], packet[37], packet[38], packet[39]) : locator
    sent[owner, default: Sent()].packets += 1
    sent[owner, default: Sent()].bytes += UInt64(packet.count - 20)
  }

  /// What the kernel has counted of it.
  func counted() throws -> (drops: [DropReason: UInt64], sent: [IPv4Address: Sent]) {
    let counters = try kernel.counters(bench.map)
    var sent: [IPv4Address: Sent] = [:]
    for count in counters.backends where count.packets > 0 {
      sent[count.locator, default: Sent()].packets += count.packets
      sent[count.locator, default: Sent()].bytes += count.bytes
    }
    for count in counters.vips { sent[count.vip] = Sent(packets: count.packets, bytes: count.bytes) }
    return (counters.drops, sent)
  }

  /// Whether the record of a packet's connection ends about now: the two sides look at the clock one after
  /// the other, and may rightly see it differently.
  func isBetweenTimes(_ packet: [UInt8]) -> Bool {
    var buffer = FrameBuffer(packet)
    let found = buffer.withSpan { span in bench.mux.connection(in: span, byteCount: packet.count) }
    guard let found,
      let record = kernel.record(of: found.connection, number: found.number, now: Self.now &- 500)
    else {
      return false
    }
    return !record.isExpired(Self.now &- 500) && record.isExpired(Self.now &+ 500)
  }

  /// What user space does with a packet, and so what the kernel has to do with it.
  ///
  /// The stack takes a hop before user space sees the packet, and never shows it one without hops, nor one whose
  /// header makes no sense; the kernel's program leaves to it what it has to answer.
  func expected(_ packet: [UInt8], offload: Offload = Offload()) -> Fate {
    var forwarded = packet
    guard let readable = Self.forwarded(&forwarded) else { return .stack }
    let tooBig = bench.counters.drops[.tooBig, default: 0]
    let output = bench.send(forwarded, offload: offload, now: Self.now)
    switch output.verdict {
    case .pass: return .stack
    case .deliver, .hold: return .dropped
    case .drop(let reason):
      guard bench.counters.drops[.tooBig, default: 0] == tooBig else { return .stack }
      drops[reason, default: 0] += 1
      return .dropped
    case .transmit(let offset, _):
      // "Too big" is said by user space.
      guard readable, offset == 0 || offset == -20 else { return .stack }
      if offset == -20 { count(output.bytes) }
      return .sent(output.bytes)
    }
  }

  /// Spends a hop; nil when the header is unreadable, false when no hop is left.
  static func forwarded(_ packet: inout [UInt8]) -> Bool? {
    var buffer = FrameBuffer(packet)
    let count = packet.count
    let answer: Bool? = buffer.withSpan { span in
      guard var frame = Frame(span, byteCount: count) else { return nil }
      guard case .value(let network) = IPv4Packet.parse(frame, at: 0) else { return nil }
      guard network.timeToLive > 1 else { return false }
      IPv4Header(at: 0).spendHop(&frame)
      return true
    }
    packet = buffer.bytes(from: 0, count: count)
    return answer
  }

  /// What the kernel's program does with it.
  func actual(
    _ packet: [UInt8], _ hook: MuxKernel.Hook, ethernet: [UInt8] = KernelBench.ethernet, segment: UInt16 = 0,
    by other: MuxKernel? = nil
  ) throws -> Fate {
    let kernel = other ?? kernel
    let frame = ethernet + packet
    switch hook {
    case .xdp:
      let run = try kernel.xdp.testRun(frame, context: .xdp(device: device))
      switch run.returnValue {
      case 1: return .dropped
      case 2: return run.data == frame ? .stack : .sent([])
      case 3:
        guard run.data.prefix(14) == Self.outgoing[...] else { return .sent([]) }
        return .sent(Self.packet(run.data))
      case let other: throw UnknownVerdict(number: other)
      }
    case .tc:
      let segments = segment == 0 ? 0 : UInt32(packet.count) / UInt32(segment) + 1
      let context = BPFTestContext.classifier(
        device: device, segmentSize: UInt32(segment), segments: segments)
      let run = try kernel.tc.testRun(frame, context: context)
      switch Int32(bitPattern: run.returnValue) {
      case 2: return .dropped
      case -1: return run.data == frame ? .stack : .sent([])
      case 7: return .sent(Self.packet(run.data))
      case let other: throw UnknownVerdict(number: UInt32(bitPattern: other))
      }
    }
  }

  /// Without Ethernet header and padding.
  private static func packet(_ frame: [UInt8]) -> [UInt8] {
    let length = Int(frame[16]) << 8 + Int(frame[17])
    return Array(frame.dropFirst(14).prefix(length))
  }
}

struct CommandFailed: Error { let words: [String] }
struct UnknownVerdict: Error { let number: UInt32 }
