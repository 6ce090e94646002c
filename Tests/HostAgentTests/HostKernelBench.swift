import Dataplane
import Foundation
import HostAgent
import KernelPath
import Platform
import Wire

/// A host agent in user space and its programs in the kernel, which carry what the agent lends them.
///
/// The programs run by BPF_PROG_TEST_RUN within a namespace whose only route leads to a gateway with a known MAC
/// address, so that every next hop can be found.
final class HostKernelBench {
  static let isRoot = geteuid() == 0
  static let namespaceName = "host-parity-\(ProcessInfo.processInfo.processIdentifier)"
  static let ethernet: [UInt8] = [0x02, 0, 0, 0, 0, 0x02, 0x02, 0, 0, 0, 0, 0x01, 0x08, 0x00]

  /// What a program has done with a packet.
  enum Outcome: Equatable {
    /// Left it to the agent.
    case up
    case dropped
    case sent([UInt8])
  }

  var bench: Bench
  let kernel: HostKernel
  let device: Int32
  /// What the kernel has been told to carry.
  private(set) var lent: Set<KnownFlow> = []

  /// Inside the namespace only.
  private init(_ map: HostMap, device: Int32) throws {
    bench = Bench(map, flowCapacity: 65_536)
    bench.now = Self.now
    kernel = try HostKernel()
    try kernel.adopt(muxes: map.muxes)
    self.device = device
  }

  static var now: UInt32 { UInt32(truncatingIfNeeded: MonotonicClock.milliseconds) }

  /// Makes the namespace, does something in it, and removes it.
  static func run(_ name: String, map: HostMap = lendingMap, _ body: (HostKernelBench) throws -> Void) throws
  {
    let name = "\(namespaceName)-\(name)"
    try command(["ip", "netns", "add", name])
    defer { try? command(["ip", "netns", "delete", name]) }
    let lines = [
      "link add uplink address 02:00:00:00:00:02 type veth peer name gateway", "link set uplink up",
      "link set gateway up", "addr add 10.0.0.1/24 dev uplink", "route add default via 10.0.0.254",
      "neigh add 10.0.0.254 lladdr 02:00:00:00:00:01 dev uplink nud permanent",
    ]
    for line in lines { try command(["ip", "-n", name] + line.split(separator: " ").map(String.init)) }
    var failure: (any Error)?
    let namespace = try NetworkNamespace.open(named: name)
    try namespace.run { () throws(PlatformError) in
      do {
        try Data("1".utf8).write(to: URL(filePath: "/proc/sys/net/ipv4/ip_forward"))
        try body(try HostKernelBench(map, device: Int32(unsafe if_nametoindex("uplink"))))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  private static func command(_ words: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = words
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed(what: words.joined(separator: " ")) }
  }

  struct Failed: Error { let what: String }

  /// The standard map, with VM 3 behind a veth pair and VM 7 behind a TUN device.
  static let lendingMap = Bench.map(
    machines: [
      .init(index: 3, locator: locator1, dip: dip, mtu: 1480, lendsFlows: true),
      .init(index: 7, locator: locator2, dip: dip, mtu: 1480),
    ])

  /// Tells the kernel what has changed.
  func tell() {
    while let change = bench.agent.takeChange() {
      switch change.kind {
      case .known:
        if kernel.insert(change.flow, device: device, now: bench.now) { lent.insert(change.flow) }
      case .ended: forget(change.flow)
      case .silent:
        let lastSeen = kernel.lastSeen(change.flow, device: device)
        if !bench.agent.settle(change.flow, lastSeen: lastSeen, now: bench.now) { forget(change.flow) }
      }
    }
  }

  private func forget(_ flow: KnownFlow) {
    kernel.remove(flow, device: device)
    lent.remove(flow)
  }

  /// Makes the kernel carry a connection to VM 3.
  func open(from port: UInt16, proto: IPProtocol = .tcp) {
    if proto == .udp {
      _ = bench.inbound(Packet.wrapped(Packet(proto: .udp, sourcePort: port, destinationPort: 53).bytes))
      _ = bench.outbound(Self.reply(to: port, proto: .udp))
    } else {
      FlowTests.open(&bench, from: port)
    }
    tell()
  }

  static func reply(to port: UInt16, proto: IPProtocol = .tcp, flags: UInt8 = 0x10) -> [UInt8] {
    Packet(
      source: dip, destination: client, proto: proto, sourcePort: proto == .tcp ? 8080 : 53,
      destinationPort: port, flags: flags
    ).bytes
  }

  /// What the program of an uplink does with a packet.
  func uplink(_ packet: [UInt8]) throws -> Outcome { try outcome(of: packet, kernel.uplink, up: -1) }

  /// What the program of VM 3's device does with a packet.
  func machine(_ packet: [UInt8]) throws -> Outcome { try outcome(of: packet, kernel.device, up: 0) }

  private func outcome(of packet: [UInt8], _ program: borrowing BPFProgram, up: Int32) throws -> Outcome {
    // BPF_PROG_TEST_RUN takes no frame without a whole IPv4 header.
    guard packet.count >= IPv4Header.byteCount else { return .up }
    let frame = Self.ethernet + packet
    let run = try program.testRun(frame, context: .classifier(device: device))
    switch Int32(bitPattern: run.returnValue) {
    case 2: return .dropped
    case up:
      // At most the mark of congestion has been handed on already.
      return .up
    case 7:
      let length = Int(run.data[16]) << 8 + Int(run.data[17])
      return .sent(Array(run.data.dropFirst(14).prefix(length)))
    case let other: throw Failed(what: "verdict \(other)")
    }
  }

  /// A packet after the hop that the kernel counts.
  static func forwarded(_ packet: [UInt8]) -> [UInt8] {
    var memory = [UInt8](repeating: 0, count: Frame.headroom) + packet
    memory += [UInt8](repeating: 0, count: Frame.guaranteed)
    var span = memory.mutableSpan
    if var frame = unsafe Frame(span.mutableBytes, byteCount: packet.count) {
      IPv4Header(at: 0).spendHop(&frame)
    }
    return Array(memory[Frame.headroom..<(Frame.headroom + packet.count)])
  }
}
