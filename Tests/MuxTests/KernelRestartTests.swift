import Dataplane
import KernelPath
import Mux
import PacketBuilder
import Testing
import Wire

/// An agent is replaced while its programs forward.
@Suite(.serialized, .enabled(if: KernelBench.isRoot, "needs root")) struct KernelRestartTests {
  static func endpoints(_ locators: [IPv4Address]) -> [EndpointConfiguration] {
    [MovementTests.endpoint(locators)]
  }

  static func locator(
    _ bench: KernelBench, _ port: UInt16, _ flags: TCPFlags, by kernel: MuxKernel? = nil
  ) throws -> IPv4Address? {
    let packet = MovementTests.packet(port, flags).bytes
    guard case .sent(let bytes) = try bench.actual(packet, .xdp, by: kernel), bytes.count > 20 else {
      return nil
    }
    return IPv4Address(bytes[16], bytes[17], bytes[18], bytes[19])
  }

  /// Connections of before the restart stay where they are, though the configuration changes with it: those
  /// in settled slots, which begin to move, and those that were recorded.
  @Test func connectionsLiveThroughIt() throws {
    let now = KernelBench.now
    let first: [IPv4Address] = ["10.1.0.1", "10.1.0.2"]
    try KernelBench.run("restart", endpoints: Self.endpoints(first)) { bench in
      var homes: [UInt16: IPv4Address] = [:]
      for port in 1...100 as ClosedRange<UInt16> { homes[port] = try Self.locator(bench, port, .syn) }
      try bench.configure(Self.endpoints(["10.1.0.1", "10.1.0.2", "10.1.0.3"]), now: now &- 2_000)
      for port in 1...100 as ClosedRange<UInt16> {
        #expect(try Self.locator(bench, port, .ack) == homes[port])
      }
      for port in 101...200 as ClosedRange<UInt16> { homes[port] = try Self.locator(bench, port, .syn) }
      #expect(Set(homes.values).count == 3)

      try bench.restart(Self.endpoints(["10.1.0.3", "10.1.0.4"]), now: KernelBench.now &- 100)
      for port in 1...200 as ClosedRange<UInt16> {
        #expect(try Self.locator(bench, port, .ack) == homes[port], "port \(port)")
      }
      let new = try (201...400 as ClosedRange<UInt16>).map { try Self.locator(bench, $0, .syn) }
      #expect(Set(new) == ["10.1.0.3", "10.1.0.4"])
    }
  }

  /// Maps of another version are replaced; records stay, unless they are of another version, too.
  @Test(arguments: [KernelInheritance.records, .nothing])
  func recordsLiveThroughAnUpgrade(inheritance: KernelInheritance) throws {
    let other = EndpointConfiguration(
      vip: Bench.vip, port: 79, proto: .tcp, backends: [WeightedBackend(locator: "10.1.0.7")])
    try KernelBench.run("upgrade", endpoints: Self.endpoints(["10.1.0.1"])) { bench in
      try bench.configure(Self.endpoints(["10.1.0.2"]), now: KernelBench.now)
      for port in 1...50 as ClosedRange<UInt16> {
        #expect(try Self.locator(bench, port, .ack) == "10.1.0.1")
      }
      let current = KernelVersion.current
      let version = KernelVersion(
        tables: 9, records: inheritance == .records ? current.records : 9, leases: current.leases)
      // With another endpoint before it, which takes its number.
      try bench.upgrade([other] + Self.endpoints(["10.1.0.2"]), now: KernelBench.now, from: version)
      #expect(bench.kernel.inheritance == inheritance)
      #expect(try bench.kernel.remains() != nil)
      #expect(bench.kernel.ranges.leases == Bench.leases.sorted { $0.range < $1.range })
      try bench.finishUpgrade()
      let home: IPv4Address = inheritance == .records ? "10.1.0.1" : "10.1.0.2"
      for port in 1...50 as ClosedRange<UInt16> { #expect(try Self.locator(bench, port, .ack) == home) }
      #expect(try Self.locator(bench, 51, .ack) == "10.1.0.2")
      #expect(try bench.kernel.sweep(now: KernelBench.now) == (inheritance == .records ? 50 : 0))
      // The next one of the same version goes on with everything.
      try bench.restart([other] + Self.endpoints(["10.1.0.2"]), now: KernelBench.now)
      #expect(bench.kernel.inheritance == .all)
      for port in 1...50 as ClosedRange<UInt16> { #expect(try Self.locator(bench, port, .ack) == home) }
    }
  }

  /// An agent that ends before it has adopted what it found leaves the next one the same to do.
  @Test func anUpgradeThatIsCutShortIsBegunAgain() throws {
    try KernelBench.run("cut", endpoints: Self.endpoints(["10.1.0.1"])) { bench in
      try bench.configure(Self.endpoints(["10.1.0.2"]), now: KernelBench.now)
      for port in 1...50 as ClosedRange<UInt16> {
        #expect(try Self.locator(bench, port, .ack) == "10.1.0.1")
      }
      let current = KernelVersion.current
      let version = KernelVersion(tables: 9, records: current.records, leases: current.leases)
      try bench.upgrade(Self.endpoints(["10.1.0.2"]), now: KernelBench.now, from: version)
      // Another agent, which finds what the first one has not said to be whole.
      try bench.upgrade(Self.endpoints(["10.1.0.2"]), now: KernelBench.now, from: nil)
      #expect(bench.kernel.inheritance == .records)
      try bench.finishUpgrade()
      for port in 1...50 as ClosedRange<UInt16> {
        #expect(try Self.locator(bench, port, .ack) == "10.1.0.1")
      }
    }
  }

  /// What the version before records between the two looks at its records is found, under a number that is
  /// right by chance.
  @Test func recordsOfTheLastMomentAreAdopted() throws {
    try KernelBench.run("moment", endpoints: Self.endpoints(["10.1.0.1"])) { bench in
      try bench.configure(Self.endpoints(["10.1.0.2"]), now: KernelBench.now)
      let old = bench.kernel
      let current = KernelVersion.current
      let version = KernelVersion(tables: 9, records: current.records, leases: current.leases)
      try bench.upgrade(Self.endpoints(["10.1.0.2"]), now: KernelBench.now, from: version)
      #expect(try Self.locator(bench, 7, .ack, by: old) == "10.1.0.1")
      try bench.finishUpgrade()
      #expect(try Self.locator(bench, 7, .ack) == "10.1.0.1")
      #expect(try bench.kernel.sweep(now: KernelBench.now) == 1)
    }
  }

  /// Tables that stay what they were stay where they are: a restart needs no room for them beside the old ones.
  @Test func tablesThatAreTheSameStay() throws {
    var endpoints = Bench.endpoints
    try KernelBench.run("tables", endpoints: endpoints) { bench in
      let before = bench.image
      try bench.restart(endpoints, now: KernelBench.now)
      #expect(bench.image.newTables.isEmpty && bench.image.oldTables.isEmpty)
      #expect(bench.image.endpoints.map(\.value.table) == before.endpoints.map(\.value.table))
      // One endpoint changes: its table is new, and the others keep theirs.
      endpoints[0].backends.removeLast()
      try bench.restart(endpoints, now: KernelBench.now)
      #expect(bench.image.newTables.count == 1 && bench.image.oldTables.isEmpty)
      for port in 1...50 as ClosedRange<UInt16> {
        let packet = (PacketCase.ip / TCP(port, 443, .syn)).bytes
        #expect(try bench.actual(packet, .xdp) == bench.expected(packet))
      }
      // A set of backends that nobody has any more: its table's place is free, and taken again.
      for index in 0..<3 { endpoints[index].backends.removeFirst() }
      try bench.configure(endpoints, now: KernelBench.now &- 200_000)
      let settled = try #require(bench.bench.map.settled(now: KernelBench.now))
      try bench.install(settled)
      #expect(!bench.image.oldTables.isEmpty)
      #expect(try bench.actual((PacketCase.ip / TCP(9, 80, .syn)).bytes, .xdp) != .stack)
    }
  }

  /// Counters go on from where they were.
  @Test func countersGoOn() throws {
    let endpoints = Self.endpoints(["10.1.0.1"])
    try KernelBench.run("counts", endpoints: endpoints) { bench in
      for port in 1...10 as ClosedRange<UInt16> { _ = try Self.locator(bench, port, .syn) }
      try bench.restart(endpoints, now: KernelBench.now)
      for port in 11...15 as ClosedRange<UInt16> { _ = try Self.locator(bench, port, .syn) }
      let counts = try bench.kernel.counters(bench.bench.map).backends
      #expect(counts.map(\.packets) == [15])
      #expect(counts.map(\.connections) == [15])
    }
  }

  /// What the programs leave to user space goes where they would have sent it: their records are user space's.
  @Test func packetsLeftToUserSpaceFindTheKernelsRecords() throws {
    try KernelBench.run("left", endpoints: Self.endpoints(["10.1.0.1"])) { bench in
      try bench.configure(Self.endpoints(["10.1.0.2"]), now: KernelBench.now)
      for port in 1...100 as ClosedRange<UInt16> {
        // A new connection in a moving slot: user space, which has not seen it, would take it for an old one.
        #expect(try Self.locator(bench, port, .syn) == "10.1.0.2")
        let packet = MovementTests.packet(port, .ack)
        #expect(bench.bench.left(packet, by: bench.kernel, now: KernelBench.now) == "10.1.0.2")
        #expect(bench.bench.mux.recordCount == 0)
      }
      #expect(
        bench.bench.left(MovementTests.packet(101, .ack), by: bench.kernel, now: KernelBench.now)
          == "10.1.0.1")
      #expect(bench.bench.mux.recordCount == 1)
    }
  }

  /// Leases go on, are changed by the next agent, and what came to them is counted from where it was.
  @Test func leasesGoOn() throws {
    let answer = (PacketCase.ip / TCP(443, 1_024)).bytes
    func locator(_ bench: KernelBench) throws -> IPv4Address? {
      guard case .sent(let bytes) = try bench.actual(answer, .tc), bytes.count > 20 else { return nil }
      return IPv4Address(bytes[16], bytes[17], bytes[18], bytes[19])
    }
    let endpoints = Self.endpoints(["10.1.0.1"])
    try KernelBench.run("leases", endpoints: endpoints) { bench in
      #expect(try locator(bench) == "10.2.0.1")
      try bench.restart(endpoints, now: KernelBench.now)
      #expect(bench.kernel.ranges.leases == Bench.leases.sorted { $0.range < $1.range })
      #expect(try locator(bench) == "10.2.0.1")
      try bench.kernel.ranges.lease(SNATRange(vip: Bench.vip, holding: 1_024), to: "10.2.0.9")
      #expect(try locator(bench) == "10.2.0.9")
      bench.kernel.ranges.takeBack(SNATRange(vip: Bench.vip, holding: 1_024))
      #expect(try bench.actual(answer, .tc) == .dropped)
      let counts = try bench.kernel.counters(bench.bench.map).vips
      #expect(counts == [VIPCount(vip: Bench.vip, packets: 3, bytes: 120)])
    }
  }

  /// Records whose time is over are removed, and those only.
  @Test func expiredRecordsAreSwept() throws {
    try KernelBench.run("sweep", endpoints: Self.endpoints(["10.1.0.1"])) { bench in
      try bench.configure(Self.endpoints(["10.1.0.2"]), now: KernelBench.now)
      for port in 1...50 as ClosedRange<UInt16> { _ = try Self.locator(bench, port, .syn) }
      for port in 1...20 as ClosedRange<UInt16> { _ = try Self.locator(bench, port, .ack) }
      #expect(try bench.kernel.sweep(now: KernelBench.now) == 50)
      // Untrusted records live 10 s, trusted ones here 60 s; both a little longer, since programs may meet them.
      #expect(try bench.kernel.sweep(now: KernelBench.now &+ 20_000) == 20)
      #expect(try bench.kernel.sweep(now: KernelBench.now &+ 70_000) == 0)
    }
  }
}
