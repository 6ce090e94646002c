import Dataplane
import KernelPath
import Mux
import PacketBuilder
import Platform
import Testing
import Wire

/// One source, two compilations: the kernel's programs do with every packet what user space does.
@Suite(.serialized, .enabled(if: KernelBench.isRoot, "needs root")) struct KernelParityTests {
  static let kernelOnly = PacketCase.all.filter { !$0.offload.isSuperPacket && !$0.offload.isPartial }

  @Test(arguments: MuxKernel.Hook.allCases)
  func everyPacketCase(hook: MuxKernel.Hook) throws {
    var compared = 0
    try KernelBench.run("cases") { bench in
      for example in Self.kernelOnly where Self.canRun(example.packet, hook) {
        let expected = Self.expectation(bench.expected(example.packet), example.packet, hook)
        let actual = try bench.actual(example.packet, hook)
        #expect(actual == expected, "\(example.name)")
        compared += 1
      }
      let counted = try bench.counted()
      #expect(counted.drops == bench.drops && counted.drops.count > 5)
      #expect(counted.sent == bench.sent && counted.sent.count > 2)
    }
    #expect(compared > 95)
  }

  /// What a switch floods, what promiscuous devices show, and what comes in by a device whose address is not
  /// known is the stack's, and nothing is counted or recorded for it.
  @Test(arguments: MuxKernel.Hook.allCases)
  func framesForOthersAreLeftAlone(hook: MuxKernel.Hook) throws {
    try KernelBench.run("frames") { bench in
      let packet = (PacketCase.ip / TCP(4_000, 80, .syn)).bytes
      let unserved = (PacketCase.ip / TCP(4_000, 81, .syn)).bytes
      for destination in [
        [0x02, 0, 0, 0, 0, 0x03], [0x03, 0, 0, 0, 0, 0x02], [UInt8](repeating: 0xff, count: 6),
      ] {
        let ethernet = destination + KernelBench.ethernet.dropFirst(6)
        #expect(try bench.actual(packet, hook, ethernet: ethernet) == .stack)
        #expect(try bench.actual(unserved, hook, ethernet: ethernet) == .stack)
      }
      let counters = try bench.kernel.counters(bench.bench.map)
      #expect(counters.drops.isEmpty && counters.backends.allSatisfy { $0.packets == 0 })
      guard case .sent = try bench.actual(packet, hook) else {
        Issue.record("a frame for this node is sent on")
        return
      }
      #expect(try bench.actual(unserved, hook) == .dropped)
    }
  }

  /// On a veth pair a frame goes back by a redirection, whose other end need not have a program; else by XDP_TX.
  @Test(arguments: [(false, 3), (true, 4)] as [(Bool, UInt32)])
  func sendsBackAsTheDeviceNeedsIt(redirects: Bool, verdict: UInt32) throws {
    try KernelBench.run("back") { bench in
      let own = KernelDevice(
        index: bench.device, address: Array(KernelBench.ethernet.prefix(6)), redirects: redirects)
      try bench.kernel.admit(try #require(own))
      for packet in [PacketCase.ip / TCP(4_000, 80, .syn), PacketCase.ip / ICMP.echoRequest(1)] {
        let frame = KernelBench.ethernet + packet.bytes
        let run = try bench.kernel.xdp.testRun(frame, context: .xdp(device: bench.device))
        #expect(run.returnValue == verdict)
        #expect(run.data.prefix(14) == KernelBench.outgoing[...])
      }
    }
  }

  /// A device's MAC address is changed: frames for the old one are the stack's, those for the new one are taken.
  @Test func aNewAddressOfTheDeviceIsObeyed() throws {
    try KernelBench.run("address") { bench in
      let packet = (PacketCase.ip / TCP(4_000, 80, .syn)).bytes
      let address: [UInt8] = [0x02, 0, 0, 0, 0, 0x77]
      try bench.kernel.admit(try #require(KernelDevice(index: bench.device, address: address)))
      #expect(try bench.actual(packet, .xdp) == .stack)
      guard case .sent = try bench.actual(packet, .xdp, ethernet: address + KernelBench.ethernet.dropFirst(6))
      else {
        Issue.record("a frame for the new address is sent on")
        return
      }
    }
  }

  /// BPF_PROG_TEST_RUN takes no packet beyond a page, and for tc none shorter than an IPv4 header.
  static func canRun(_ packet: [UInt8], _ hook: MuxKernel.Hook) -> Bool {
    packet.count < 3_000 && (hook == .xdp || packet.count >= IPv4Header.byteCount)
  }

  /// tc leaves echo requests to user space.
  static func expectation(_ fate: KernelBench.Fate, _ packet: [UInt8], _ hook: MuxKernel.Hook)
    -> KernelBench.Fate
  {
    guard hook == .tc, case .sent(let bytes) = fate, bytes.count > 9, bytes[9] == 1 else { return fate }
    return .stack
  }

  /// Tables that change at random, connections that live through it, and packets that were tampered with.
  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func randomPacketsAndTables(seed: UInt64) throws {
    let hook: MuxKernel.Hook = seed % 2 == 0 ? .tc : .xdp
    try KernelBench.run("random") { bench in
      var random = Random(seed: seed)
      let examples = Self.kernelOnly.filter { $0.packet.count <= 256 }
      let buffers = examples.map { FrameBuffer($0.packet) }
      var sent = 0
      var skipped = 0
      for round in 0..<Self.roundsPerSeed {
        if round % 2_500 == 2_499 {
          try bench.configure(Self.randomEndpoints(&random), now: KernelBench.now &- 5_000)
          try #require(try bench.counted().drops == bench.drops, "seed \(seed), round \(round)")
        }
        if round % 64 == 63 { try Self.changeLeases(&random, bench.kernel.ranges) }
        let packet: [UInt8]
        if random.below(3) == 0 {
          packet = random.below(3) == 0 ? Self.randomAnswer(&random) : Self.randomSegment(&random)
        } else {
          let pick = random.below(examples.count)
          let mutant = FuzzTests.Mutant(examples[pick], buffers[pick], &random)
          packet = mutant.buffer.bytes(from: 0, count: max(1, mutant.byteCount))
        }
        guard Self.canRun(packet, hook) else { continue }
        guard !bench.isBetweenTimes(packet) else {
          skipped += 1
          continue
        }
        let expected = Self.expectation(bench.expected(packet), packet, hook)
        let actual = try bench.actual(packet, hook)
        try #require(actual == expected, "seed \(seed), round \(round): \(packet)")
        if case .sent = actual { sent += 1 }
      }
      #expect(try bench.counted().drops == bench.drops)
      #expect(bench.drops.count > 5)
      let answers = bench.bench.counters.vips(bench.bench.map).map(\.packets).reduce(0, +)
      #expect(answers > UInt64(Self.roundsPerSeed / 50))
      #expect(sent > Self.roundsPerSeed / 4 && skipped < Self.roundsPerSeed / 20)
      #expect(bench.bench.mux.recordCount > 1_000)
    }
  }

  /// Super-packets, as tc sees them, with segments of all sizes around the one that just fits.
  ///
  /// BPF_PROG_TEST_RUN gives them a segment's size, but no type, and the kernel makes no room in packets
  /// without one: what would be sent is left to the stack at the last step. That they are judged alike the
  /// counters show.
  @Test(arguments: [IPProtocol.tcp, .udp])
  func superPackets(proto: IPProtocol) throws {
    try KernelBench.run("super") { bench in
      var fates = (sent: 0, dropped: 0, tooBig: 0)
      for size in [1, 100, 536, 1_439, 1_440, 1_441, 1_452, 1_453, 1_460, 2_000] as [UInt16] {
        for port in 1...20 as ClosedRange<UInt16> {
          let packet = Self.superPacket(proto, port)
          let offload = proto == .tcp ? Offload.tcp(segment: size) : .udp(segment: size)
          let before = try bench.kernel.counters(bench.bench.map)
          let expected = bench.expected(packet, offload: offload)
          let actual = try bench.actual(packet, .tc, segment: size)
          let tooBig = try bench.kernel.counters(bench.bench.map).tooBig - before.tooBig
          switch expected {
          case .sent:
            #expect(actual == .stack && tooBig == 0, "\(proto), segments of \(size), port \(port)")
            fates.sent += 1
          case .stack:
            #expect(actual == .stack && tooBig == 1, "\(proto), segments of \(size), port \(port)")
            fates.tooBig += 1
          case .dropped:
            #expect(actual == .dropped && tooBig == 0, "\(proto), segments of \(size), port \(port)")
            fates.dropped += 1
          }
        }
      }
      #expect(try bench.counted().drops == bench.drops)
      #expect(fates.sent > 50 && fates.dropped > 30 && fates.tooBig > 30, "\(fates)")
    }
  }

  /// Every fifth one goes to a port that nobody serves.
  static func superPacket(_ proto: IPProtocol, _ port: UInt16) -> [UInt8] {
    let isServed = port % 5 != 0
    guard proto == .tcp else {
      return (PacketCase.ip / UDP(port, isServed ? 53 : 54, isPartial: true) / Payload(count: 2_800)).bytes
    }
    return (PacketCase.ip / TCP(port, isServed ? 80 : 81, .ack, isPartial: true) / Payload(count: 2_800))
      .bytes
  }

  /// If one of the two goes another way, it is seen.
  @Test func aDifferenceIsFound() throws {
    try KernelBench.run("differs") { bench in
      var other = Bench.endpoints
      other[0].backends.swapAt(0, 1)
      other[0].backends.removeLast()
      let map = try bench.bench.map.updated(endpoints: other, vips: [Bench.plainVIP], now: 0)
      try bench.install(map)
      var differences = 0
      for port in 1...200 as ClosedRange<UInt16> {
        let packet = (PacketCase.ip / TCP(port, 80, .syn)).bytes
        if try bench.actual(packet, .xdp) != bench.expected(packet) { differences += 1 }
      }
      #expect(differences > 20)
    }
  }

  static let roundsPerSeed = 250_000

  /// Few clients and ports, so that connections meet again.
  static func randomSegment(_ random: inout Random) -> [UInt8] {
    let flags: [TCPFlags] = [.syn, .ack, .ack, .ack | .psh, .fin | .ack, .rst]
    let client = IPv4Address(198, 51, 100, UInt8(random.below(4)))
    let port: UInt16 = random.below(8) == 0 ? 443 : 80
    return
      (IPv4(client, Bench.vip) / TCP(UInt16(1 + random.below(500)), port, flags[random.below(flags.count)]))
      .bytes
  }

  /// Some of 512 ranges of two VIPs come, go, or pass to another VM; so many that they meet in the table.
  static func changeLeases(_ random: inout Random, _ ranges: SNATRanges) throws {
    for _ in 0..<4 {
      let vip = random.below(2) == 0 ? Bench.vip : Bench.plainVIP
      let range = SNATRange(vip: vip, holding: UInt16(1_024 + random.below(2_048)))
      if random.below(3) == 0 {
        ranges.takeBack(range)
      } else {
        try ranges.lease(range, to: IPv4Address(10, 2, 0, UInt8(random.below(256))))
      }
    }
  }

  /// To a port that may be leased.
  static func randomAnswer(_ random: inout Random) -> [UInt8] {
    let network = IPv4(Bench.client, random.below(2) == 0 ? Bench.vip : Bench.plainVIP)
    let port = UInt16(1_020 + random.below(2_060))
    return switch random.below(4) {
    case 0: (network / UDP(53, port)).bytes
    case 1: (network / ICMP.echoReply(port)).bytes
    default: (network / TCP(443, port, .ack)).bytes
    }
  }

  static func randomEndpoints(_ random: inout Random) -> [EndpointConfiguration] {
    Bench.endpoints.map { endpoint in
      var endpoint = endpoint
      endpoint.backends = Bench.locators.compactMap { locator in
        random.below(4) == 0 ? nil : WeightedBackend(locator: locator, weight: random.below(4))
      }
      if random.below(4) == 0 { endpoint.affinity = HashedFields.allCases[random.below(3)] }
      return endpoint
    }
  }
}
