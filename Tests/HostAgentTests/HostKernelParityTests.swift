import Dataplane
import HostAgent
import KernelPath
import Testing
import Wire

/// One source, two compilations: what the kernel carries, it carries as user space would have.
@Suite(.serialized, .enabled(if: HostKernelBench.isRoot, "needs root")) struct HostKernelParityTests {
  static let rounds = 250_000

  @Test func knownFlowsAreCarriedBothWays() throws {
    try HostKernelBench.run("ways") { bench in
      bench.open(from: 1)
      bench.open(from: 2, proto: .udp)
      let segment = Packet.wrapped(Packet(sourcePort: 1).bytes)
      let datagram = Packet.wrapped(Packet(proto: .udp, sourcePort: 2, destinationPort: 53).bytes)
      for packet in [segment, datagram] {
        let expected = bench.bench.inbound(packet).bytes
        #expect(!expected.isEmpty)
        #expect(try bench.uplink(packet) == .sent(expected))
      }
      for packet in [HostKernelBench.reply(to: 1), HostKernelBench.reply(to: 2, proto: .udp)] {
        let expected = bench.bench.outbound(packet).bytes
        #expect(!expected.isEmpty)
        #expect(try bench.machine(packet) == .sent(HostKernelBench.forwarded(expected)))
      }
      let count = try bench.kernel.count(machine: 3)
      #expect(count.packetsIn == 2 && count.packetsOut == 2)
      #expect(count.bytesIn == UInt64(segment.count + datagram.count - 40))
    }
  }

  static let forTheAgent: [(String, [UInt8])] = [
    ("SYN", Packet.wrapped(Packet(sourcePort: 1, flags: 0x02).bytes)),
    ("FIN", Packet.wrapped(Packet(sourcePort: 1, flags: 0x11).bytes)),
    ("RST", Packet.wrapped(Packet(sourcePort: 1, flags: 0x04).bytes)),
    ("another client", Packet.wrapped(Packet(sourcePort: 2).bytes)),
    ("no MUX", Packet.wrapped(Packet(sourcePort: 1).bytes, from: router)),
    ("another locator", Packet.wrapped(Packet(sourcePort: 1).bytes, to: locator2)),
    ("a fragment", Packet.wrapped(Packet(sourcePort: 1, fragmentWord: 0x2000).bytes)),
    ("no hop left", Packet.wrapped(Packet(sourcePort: 1, timeToLive: 0).bytes)),
    (
      "congestion that the sender would not understand",
      Packet.wrapped(Packet(sourcePort: 1).bytes, service: 3)
    ),
    ("ICMP", Packet.wrapped(Packet.error(from: router, to: vip, quoting: ICMPErrorTests.quoted(.tcp).bytes))),
    ("not wrapped", Packet(sourcePort: 1).bytes), ("nothing", []),
  ]

  @Test func theRestIsForTheAgent() throws {
    try HostKernelBench.run("rest") { bench in
      bench.open(from: 1)
      for (name, packet) in Self.forTheAgent {
        let outcome = try bench.uplink(packet)
        #expect(outcome == .up, "\(name)")
      }
      let reply = HostKernelBench.reply
      #expect(try bench.machine(reply(1, .tcp, 0x11)) == .up)
      #expect(try bench.machine(reply(2, .tcp, 0x10)) == .up)
      let stranger = Packet(source: router, destination: client, sourcePort: 8080, destinationPort: 1)
      #expect(try bench.machine(stranger.bytes) == .up)
      let last = Packet(source: dip, destination: client, sourcePort: 8080, destinationPort: 1, timeToLive: 1)
      #expect(try bench.machine(last.bytes) == .up)
    }
  }

  @Test func flowsEndAndAreForgotten() throws {
    try HostKernelBench.run("ends") { bench in
      bench.open(from: 1)
      let packet = Packet.wrapped(Packet(sourcePort: 1).bytes)
      #expect(try bench.uplink(packet) != .up)
      _ = bench.bench.inbound(Packet.wrapped(Packet(sourcePort: 1, flags: 0x04).bytes))
      bench.tell()
      #expect(try bench.uplink(packet) == .up)
      bench.open(from: 2)
      let kept = try bench.kernel.keep { flow, device in flow.remotePort == 2 && device == bench.device }
      #expect(kept.map(\.flow.remotePort) == [2])
      let none = try bench.kernel.keep { _, _ in false }
      #expect(none.isEmpty)
      #expect(try bench.uplink(Packet.wrapped(Packet(sourcePort: 2).bytes)) == .up)
      #expect(try bench.machine(HostKernelBench.reply(to: 2)) == .up)
    }
  }

  @Test func muxesComeAndGo() throws {
    try HostKernelBench.run("muxes") { bench in
      bench.open(from: 1)
      let packet = Packet.wrapped(Packet(sourcePort: 1).bytes)
      try bench.kernel.adopt(muxes: [router])
      #expect(try bench.uplink(packet) == .up)
      #expect(try bench.uplink(Packet.wrapped(Packet(sourcePort: 1).bytes, from: router)) != .up)
      try bench.kernel.adopt(muxes: [mux, router])
      #expect(try bench.uplink(packet) != .up)
    }
  }

  /// Spoilt packets of known flows: the kernel carries what user space would have, byte for byte, and nothing else.
  @Test(arguments: 1...2 as ClosedRange<UInt64>)
  func randomPackets(seed: UInt64) throws {
    try HostKernelBench.run("random") { bench in
      for port in 1...64 as ClosedRange<UInt16> {
        bench.open(from: port)
        bench.open(from: port, proto: .udp)
      }
      let inbound = (1...64 as ClosedRange<UInt16>).flatMap { port in
        [
          Packet.wrapped(
            Packet(sourcePort: port, service: UInt8(port & 3)).bytes, service: UInt8(port >> 2 & 3)),
          Packet.wrapped(
            Packet(proto: .udp, sourcePort: port, destinationPort: 53, hasChecksum: port & 1 == 0).bytes),
        ]
      }
      let outbound = (1...64 as ClosedRange<UInt16>).flatMap { port in
        [HostKernelBench.reply(to: port), HostKernelBench.reply(to: port, proto: .udp)]
      }
      var into = Mutator(inbound, transport: 40, seed: seed)
      var out = Mutator(outbound, transport: 20, seed: seed + 100)
      var carried = 0
      for round in 0..<Self.rounds {
        let isInbound = round & 1 == 0
        let packet = isInbound ? Self.next(&into) : Self.next(&out)
        if try Self.compare(bench, packet, isInbound: isInbound, "seed \(seed), round \(round)") {
          carried += 1
        }
      }
      #expect(carried > Self.rounds / 4)
    }
  }

  private static func next(_ mutator: inout Mutator) -> [UInt8] {
    mutator.advance()
    return (0..<mutator.byteCount).map { mutator.byte($0) }
  }

  /// Whether the kernel has carried it; it must have when it knows the flow and the segment is a plain one.
  private static func compare(
    _ bench: HostKernelBench, _ packet: [UInt8], isInbound: Bool, _ place: String
  ) throws -> Bool {
    let lent = bench.lent
    let outcome = isInbound ? try bench.uplink(packet) : try bench.machine(packet)
    let fate = isInbound ? bench.bench.inbound(packet) : bench.bench.outbound(packet)
    bench.tell()
    switch outcome {
    case .dropped:
      Issue.record("\(place): dropped \(packet)")
    case .sent(let bytes):
      let expected = isInbound ? fate.bytes : HostKernelBench.forwarded(fate.bytes)
      try #require(!fate.bytes.isEmpty && bytes == expected, "\(place): \(packet)")
    case .up:
      guard !fate.bytes.isEmpty else { break }
      try #require(!isPlain(packet, fate.bytes, isInbound: isInbound, lent), "\(place): \(packet)")
    }
    if case .sent = outcome { return true }
    return false
  }

  /// Whether a packet that user space has let pass is one that the kernel has to carry.
  private static func isPlain(
    _ packet: [UInt8], _ after: [UInt8], isInbound: Bool, _ lent: Set<KnownFlow>
  ) -> Bool {
    guard after[9] == 17 || after[9] == 6 && after[33] & 7 == 0 else { return false }
    let tuple = Reference.tuple(isInbound ? after : packet)
    guard isInbound || packet[8] > 1 else { return false }
    return lent.contains { flow in
      flow.proto == tuple.proto && flow.remotePort == (isInbound ? tuple.sourcePort : tuple.destinationPort)
        && flow.remote == (isInbound ? tuple.source : tuple.destination)
        && flow.backendPort == (isInbound ? tuple.destinationPort : tuple.sourcePort)
    }
  }
}
