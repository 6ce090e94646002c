import Dataplane
import PacketBuilder
import Testing
import Wire

@Suite struct FlowTableTests {
  static let target = Target(locator: "10.1.0.1", row: 1, generation: 1)

  static func connection(_ port: Int) -> FiveTuple { VIPMapTests.client(UInt16(port)) }

  @Test func remembersAndForgets() {
    var flows = FlowTable(capacity: 64, hash: PoolHash(seed: 1))
    let one = Self.connection(1)
    flows.insert(one, Self.target, number: 3, opening: true, idleTimeout: 60_000, now: 0)
    #expect(flows.hasRecords(3) == true)
    #expect(flows.hasRecords(4) == false)
    #expect(flows.untrusted == 1 && flows.trusted == 0)
    #expect(flows.lookUp(one, opening: true, idleTimeout: 60_000, now: 100) == Self.target)
    #expect(flows.untrusted == 1)
    #expect(flows.lookUp(one, opening: false, idleTimeout: 60_000, now: 200) == Self.target)
    #expect(flows.untrusted == 0 && flows.trusted == 1)
    #expect(flows.lookUp(Self.connection(2), opening: false, idleTimeout: 60_000, now: 200) == nil)
    flows.forget(one)
    #expect(flows.hasRecords(3) == false)
    #expect(flows.trusted == 0)
  }

  @Test func untrustedLiveShortly() {
    var flows = FlowTable(capacity: 64, hash: PoolHash(seed: 1))
    let one = Self.connection(1)
    flows.insert(one, Self.target, number: 0, opening: true, idleTimeout: 60_000, now: 0)
    #expect(flows.lookUp(one, opening: true, idleTimeout: 60_000, now: 9_999) == Self.target)
    #expect(flows.lookUp(one, opening: true, idleTimeout: 60_000, now: 10_000) == nil)
    #expect(flows.hasRecords(0) == false)
  }

  @Test func trustedLiveUntilIdle() {
    var flows = FlowTable(capacity: 64, hash: PoolHash(seed: 1))
    let one = Self.connection(1)
    flows.insert(one, Self.target, number: 0, opening: false, idleTimeout: 60_000, now: .max - 5)
    #expect(flows.lookUp(one, opening: false, idleTimeout: 60_000, now: 59_000) == Self.target)
    #expect(flows.lookUp(one, opening: false, idleTimeout: 60_000, now: 118_999) == Self.target)
    #expect(flows.lookUp(one, opening: false, idleTimeout: 60_000, now: 178_999) == nil)
  }

  @Test func aFloodOfSYNsFillsItsQuotaOnly() {
    var flows = FlowTable(capacity: 1_024, hash: PoolHash(seed: 1))
    for port in 0..<5_000 {
      flows.insert(Self.connection(port), Self.target, number: 0, opening: true, idleTimeout: 60_000, now: 0)
    }
    #expect(flows.untrusted == 128)
    for port in 10_000..<10_100 {
      flows.insert(Self.connection(port), Self.target, number: 0, opening: false, idleTimeout: 60_000, now: 0)
    }
    #expect(flows.trusted > 90)
  }

  @Test func sweepsExpiredRecords() {
    var flows = FlowTable(capacity: 1_024, hash: PoolHash(seed: 1))
    for port in 0..<300 {
      flows.insert(Self.connection(port), Self.target, number: 7, opening: false, idleTimeout: 1_000, now: 0)
    }
    #expect(flows.hasRecords(7) == true)
    for _ in 0..<4 { flows.sweep(now: 500) }
    #expect(flows.hasRecords(7) == true)
    for _ in 0..<4 { flows.sweep(now: 1_000) }
    #expect(flows.hasRecords(7) == false)
  }
}
