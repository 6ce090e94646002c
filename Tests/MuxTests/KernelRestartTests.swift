import Dataplane
import KernelPath
import Mux
import PacketBuilder
import Testing
import Wire

/// An agent is replaced while its programs forward.
@Suite(.serialized) struct KernelRestartTests {
  static func endpoints(_ locators: [IPv4Address]) -> [EndpointConfiguration] {
    [MovementTests.endpoint(locators)]
  }

  static func locator(_ bench: KernelBench, _ port: UInt16, _ flags: TCPFlags) throws -> IPv4Address? {
    guard case .sent(let bytes) = try bench.actual(MovementTests.packet(port, flags).bytes, .xdp),
      bytes.count > 20
    else { return nil }
    return IPv4Address(bytes[16], bytes[17], bytes[18], bytes[19])
  }

  /// Connections of before the restart stay where they are, though the configuration changes with it: those in settled
  /// slots, which begin to move, and those that were recorded.
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
