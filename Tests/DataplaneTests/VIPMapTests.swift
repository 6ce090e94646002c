import Dataplane
import PacketBuilder
import Testing
import Wire

@Suite struct VIPMapTests {
  static let vip: IPv4Address = "203.0.113.10"

  static func endpoint(
    port: UInt16 = 80, proto: IPProtocol = .tcp, _ locators: [IPv4Address], weights: [Int] = []
  ) -> EndpointConfiguration {
    EndpointConfiguration(
      vip: vip, port: port, proto: proto,
      backends: locators.indices.map {
        WeightedBackend(locator: locators[$0], weight: weights.isEmpty ? 1 : weights[$0])
      })
  }

  static func client(_ port: UInt16, to destination: UInt16 = 80) -> FiveTuple {
    FiveTuple(
      source: "198.51.100.10", destination: vip, sourcePort: port, destinationPort: destination, proto: .tcp)
  }

  let empty = VIPMap(seed: 42, slotCount: 1_021, counterRows: 64)

  @Test func orderOfConfigurationDoesNotMatter() throws {
    let locators: [IPv4Address] = ["10.1.0.1", "10.1.0.2", "10.2.0.1", "10.3.0.9"]
    let one = try empty.updated(
      endpoints: [Self.endpoint(locators), Self.endpoint(port: 81, [locators[0]])], now: 0)
    let two = try empty.updated(
      endpoints: [Self.endpoint(port: 81, [locators[0]]), Self.endpoint(locators.reversed())], now: 9)
    for port in 1_000..<3_000 as Range<UInt16> {
      #expect(one.backend(of: Self.client(port)) == two.backend(of: Self.client(port)))
    }
    #expect(one.endpoints == two.endpoints)
    #expect(one.vips == [Self.vip])
  }

  @Test func weightZeroTakesNothing() throws {
    let map = try empty.updated(
      endpoints: [Self.endpoint(["10.1.0.1", "10.1.0.2", "10.1.0.3"], weights: [1, 0, 2])], now: 0)
    let shares = map.shares(of: EndpointAddress(vip: Self.vip, port: 80, proto: .tcp))
    #expect(shares.map(\.locator) == ["10.1.0.1", "10.1.0.3"])
    #expect(shares.map(\.slots).reduce(0, +) == 1_021)
    #expect(abs(shares[1].slots - 2 * shares[0].slots) <= 3)
  }

  @Test func endpointWithoutBackends() throws {
    let map = try empty.updated(endpoints: [Self.endpoint([])], now: 0)
    #expect(map.backend(of: Self.client(1)) == nil)
    #expect(map.endpointCount == 1)
  }

  @Test func refusals() {
    #expect(throws: VIPMapError.duplicateEndpoint(EndpointAddress(vip: Self.vip, port: 80, proto: .tcp))) {
      try empty.updated(endpoints: [Self.endpoint([]), Self.endpoint(["10.1.0.1"])], now: 0)
    }
    #expect(
      throws: VIPMapError.duplicateBackend(EndpointAddress(vip: Self.vip, port: 80, proto: .tcp), "10.1.0.1")
    ) {
      try empty.updated(endpoints: [Self.endpoint(["10.1.0.1", "10.1.0.1"])], now: 0)
    }
    #expect(
      throws: VIPMapError.weight(EndpointAddress(vip: Self.vip, port: 80, proto: .tcp), "10.1.0.1", -1)
    ) {
      try empty.updated(endpoints: [Self.endpoint(["10.1.0.1"], weights: [-1])], now: 0)
    }
    #expect(throws: VIPMapError.unknownProtocol(EndpointAddress(vip: Self.vip, port: 80, proto: .icmp))) {
      try empty.updated(endpoints: [Self.endpoint(proto: .icmp, [])], now: 0)
    }
    let many = (0..<511).map { IPv4Address(number: 0x0a00_0001 + UInt32($0)) }
    #expect(throws: VIPMapError.tooManyBackends(EndpointAddress(vip: Self.vip, port: 80, proto: .tcp), 511)) {
      try empty.updated(endpoints: [Self.endpoint(many)], now: 0)
    }
  }

  @Test func movementBeginsAndSettles() throws {
    let idle: UInt32 = 240_000
    let skew = Limits.skewMilliseconds
    let first = try empty.updated(endpoints: [Self.endpoint(["10.1.0.1", "10.1.0.2"])], now: 1_000)
    #expect(!first.isMoving)
    let second = try first.updated(
      endpoints: [Self.endpoint(["10.1.0.1", "10.1.0.2", "10.1.0.3"])], now: 5_000)
    #expect(second.isMoving)
    #expect(second.settled(now: 5_000 + idle + 3 * skew - 1) == nil)
    let third = try #require(second.settled(now: 5_000 + idle + 3 * skew))
    #expect(!third.isMoving)
    #expect(third.endpoints == second.endpoints)
    // An unrelated change takes the movement along.
    let other = try second.updated(
      endpoints: second.endpoints + [Self.endpoint(port: 443, ["10.1.0.1"])], now: 6_000)
    #expect(other.isMoving)
  }

  @Test func movementSurvivesTheClockWrappingAround() throws {
    let late = UInt32.max - 10
    let first = try empty.updated(endpoints: [Self.endpoint(["10.1.0.1"])], now: late)
    let second = try first.updated(endpoints: [Self.endpoint(["10.1.0.2"])], now: late)
    #expect(second.settled(now: 100_000) == nil)
    #expect(second.settled(now: 300_000) != nil)
  }

  @Test func twentyThousandEndpointsShareTables() throws {
    let endpoints: [EndpointConfiguration] = (0..<20_000 as Range<UInt32>).map { number in
      let locator = IPv4Address(number: 0x0a01_0001 + number % 50)
      return EndpointConfiguration(
        vip: IPv4Address(number: 0xcb00_7100 + number / 100), port: UInt16(number % 100 + 1), proto: .tcp,
        backends: [WeightedBackend(locator: locator)])
    }
    var map = try VIPMap(seed: 1, slotCount: 1_021).updated(endpoints: endpoints, now: 0)
    #expect(map.endpointCount == 20_000)
    #expect(map.vips.count == 200)
    var changed = endpoints
    changed[777].backends = [WeightedBackend(locator: "10.9.9.9")]
    map = try map.updated(endpoints: changed, now: 1)
    let tuple = FiveTuple(
      source: "198.51.100.1", destination: changed[777].vip, sourcePort: 5, destinationPort: changed[777].port,
      proto: .tcp)
    #expect(map.backend(of: tuple) == "10.9.9.9")
  }
}
