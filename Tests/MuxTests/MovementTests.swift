import Dataplane
import Mux
import PacketBuilder
import Testing
import Wire

/// The algorithm of moving slots on one MUX: connections keep their backend while backends come and go.
@Suite struct MovementTests {
  static func endpoint(
    _ locators: [IPv4Address], draining: [IPv4Address] = [], idleTimeout: UInt32 = 60_000
  ) -> EndpointConfiguration {
    EndpointConfiguration(
      vip: Bench.vip, port: 80, proto: .tcp, idleTimeout: idleTimeout,
      backends: locators.map { WeightedBackend(locator: $0) }
        + draining.map { WeightedBackend(locator: $0, weight: 0) })
  }

  static func packet(_ port: UInt16, _ flags: TCPFlags) -> Packet { PacketCase.ip / TCP(port, 80, flags) }

  @Test func anEstablishedConnectionStaysThroughAChange() {
    var bench = Bench(endpoints: [Self.endpoint(["10.1.0.1"])])
    #expect(bench.locator(Self.packet(1, .syn), now: 0) == "10.1.0.1")
    bench.configure([Self.endpoint(["10.1.0.2"])], now: 1_000)
    // Unknown in a moving slot: older than the movement. Recorded from now on.
    #expect(bench.locator(Self.packet(1, .ack), now: 2_000) == "10.1.0.1")
    #expect(bench.mux.recordCount == 1)
    // A new connection takes the current backend, and its handshake keeps it through a further change.
    #expect(bench.locator(Self.packet(2, .syn), now: 2_000) == "10.1.0.2")
    bench.configure([Self.endpoint(["10.1.0.3"], draining: ["10.1.0.2"])], now: 3_000)
    #expect(bench.locator(Self.packet(2, .syn), now: 3_500) == "10.1.0.2")
    #expect(bench.locator(Self.packet(2, .ack), now: 3_600) == "10.1.0.2")
    #expect(bench.locator(Self.packet(3, .syn), now: 3_700) == "10.1.0.3")
    #expect(bench.locator(Self.packet(1, .ack), now: 3_800) == "10.1.0.1")
  }

  /// A port that comes round again, or a client's second try, is not held to a backend that is gone; `.ack` stands
  /// for a connection that was recorded as established, and whose end this MUX has not seen.
  @Test(arguments: [TCPFlags.syn, .ack])
  func aSYNIsNotHeldToADeadBackend(recordedBy flags: TCPFlags) {
    var bench = Bench(endpoints: [Self.endpoint(["10.1.0.9"])])
    bench.configure([Self.endpoint(["10.1.0.1"])], now: 0)
    #expect(bench.locator(Self.packet(1, .syn), now: 1_000) == "10.1.0.1")
    #expect(bench.locator(Self.packet(1, flags), now: 1_100) == "10.1.0.1")
    bench.configure([Self.endpoint(["10.1.0.2", "10.1.0.3"], draining: ["10.1.0.1"])], now: 2_000)
    #expect(bench.locator(Self.packet(1, .syn), now: 2_100) == "10.1.0.1")
    bench.configure([Self.endpoint(["10.1.0.2"], draining: ["10.1.0.0", "10.1.0.4"])], now: 3_000)
    // What is left of the old connection ends where it lived.
    if flags == .ack { #expect(bench.locator(Self.packet(1, .ack), now: 3_050) == "10.1.0.1") }
    #expect(bench.locator(Self.packet(1, .syn), now: 3_100) == "10.1.0.2")
    #expect(bench.locator(Self.packet(1, .ack), now: 3_200) == "10.1.0.2")
    #expect(bench.mux.recordCount == 1)
  }

  @Test func exceptionsLiveOnAfterSettling() {
    var bench = Bench(endpoints: [Self.endpoint(["10.1.0.1"])])
    bench.configure([Self.endpoint(["10.1.0.2"])], now: 0)
    #expect(bench.locator(Self.packet(1, .ack), now: 1_000) == "10.1.0.1")
    #expect(bench.locator(Self.packet(2, .syn), now: 1_000) == "10.1.0.2")
    #expect(bench.locator(Self.packet(2, .ack), now: 1_050) == "10.1.0.2")
    for now in stride(from: 11_000 as UInt32, through: 151_000, by: 10_000) {
      #expect(bench.locator(Self.packet(1, .ack), now: now) == "10.1.0.1")
      #expect(bench.locator(Self.packet(2, .ack), now: now) == "10.1.0.2")
      if let settled = bench.map.settled(now: now) {
        bench.map = settled
        bench.mux.adopt(settled)
      }
    }
    #expect(!bench.map.isMoving)
    // What agrees with the table is forgotten; what differs stays until its connection ends.
    #expect(bench.mux.recordCount == 1)
    #expect(bench.locator(Self.packet(1, .syn), now: 152_000) == "10.1.0.2")
    #expect(bench.mux.recordCount == 0)
    #expect(bench.locator(Self.packet(1, .ack), now: 153_000) == "10.1.0.2")
  }

  @Test func theBaseIsGivenUp() {
    var bench = Bench(endpoints: [Self.endpoint(["10.1.0.1"])])
    bench.configure([Self.endpoint(["10.1.0.2"])], now: 0)
    let base = 60_000 + Dataplane.Limits.skewMilliseconds
    #expect(bench.locator(Self.packet(1, .ack), now: base - 1) == "10.1.0.1")
    #expect(bench.locator(Self.packet(2, .ack), now: base) == "10.1.0.2")
  }

  @Test func settledSlotsTouchNoRecords() {
    var bench = Bench()
    for port in 1..<2_000 as Range<UInt16> {
      _ = bench.locator(Self.packet(port, .syn))
      _ = bench.locator(Self.packet(port, .ack))
    }
    #expect(bench.mux.recordCount == 0)
  }

  @Test func aResetEndsARecordSoon() {
    var bench = Bench(endpoints: [Self.endpoint(["10.1.0.1"])])
    bench.configure([Self.endpoint(["10.1.0.2"])], now: 0)
    #expect(bench.locator(Self.packet(1, .ack), now: 1_000) == "10.1.0.1")
    #expect(bench.locator(Self.packet(1, .rst), now: 2_000) == "10.1.0.1")
    for _ in 0..<4 { bench.mux.sweep(now: 12_000) }
    #expect(bench.mux.recordCount == 0)
  }

  @Test func icmpErrorsFollowTheirConnection() {
    var bench = Bench(endpoints: [Self.endpoint(["10.1.0.1"])])
    bench.configure([Self.endpoint(["10.1.0.2"])], now: 0)
    let error = PacketCase.router / ICMP(type: 11) / (IPv4(Bench.vip, Bench.client) / TCP(80, 2))
    #expect(bench.locator(error, now: 500) == "10.1.0.1")
    #expect(bench.mux.recordCount == 0)
    #expect(bench.locator(Self.packet(2, .syn), now: 1_000) == "10.1.0.2")
    #expect(bench.locator(error, now: 1_500) == "10.1.0.2")
  }

  @Test func udpTakesTheCurrentBackend() {
    func endpoint(_ locator: IPv4Address) -> EndpointConfiguration {
      EndpointConfiguration(
        vip: Bench.vip, port: 53, proto: .udp, backends: [WeightedBackend(locator: locator)])
    }
    var bench = Bench(endpoints: [endpoint("10.1.0.1")])
    #expect(bench.locator(PacketCase.ip / UDP(1, 53)) == "10.1.0.1")
    bench.configure([endpoint("10.1.0.2")], now: 1_000)
    #expect(bench.locator(PacketCase.ip / UDP(1, 53)) == "10.1.0.2")
    #expect(bench.mux.recordCount == 0)
  }

  /// The model's invariant: every packet of a connection that is never silent for IDLE goes where its SYN
  /// went.
  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func randomHistories(seed: UInt64) {
    var random = Random(seed: seed)
    let all = (1...6).map { IPv4Address(10, 1, 0, UInt8($0)) }
    var bench = Bench(endpoints: [Self.endpoint([all[0], all[1]])], slotCount: 13)
    var connections: [(port: UInt16, locator: IPv4Address, seen: UInt32)] = []
    var nextPort: UInt16 = 1
    for tick in 1...1_500 as ClosedRange<UInt32> {
      let now = tick * 1_000
      if random.below(100) == 0 {
        let locators = all.filter { _ in random.below(2) == 0 }
        bench.configure([Self.endpoint(locators.isEmpty ? [all[0]] : locators)], now: now)
      }
      if let settled = bench.map.settled(now: now) {
        bench.map = settled
        bench.mux.adopt(settled)
      }
      bench.mux.sweep(now: now)
      if random.below(3) == 0, let locator = bench.locator(Self.packet(nextPort, .syn), now: now) {
        #expect(bench.locator(Self.packet(nextPort, .ack), now: now + 50) == locator)
        connections.append((nextPort, locator, now))
        nextPort += 1
      }
      for place in connections.indices.reversed() where now - connections[place].seen >= 1_000 {
        guard random.below(20) == 0 || now - connections[place].seen >= 58_000 else { continue }
        let locator = bench.locator(Self.packet(connections[place].port, .ack), now: now)
        #expect(locator == connections[place].locator, "seed \(seed), tick \(tick)")
        connections[place].seen = now
        if random.below(50) == 0 { connections.remove(at: place) }
      }
    }
    #expect(nextPort > 300)
  }
}
