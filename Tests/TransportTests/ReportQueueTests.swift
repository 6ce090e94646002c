import Control
import Testing
import Wire

@testable import Transport

@Suite struct ReportQueueTests {
  private func change(_ number: Int, _ isHealthy: Bool) -> HealthChange {
    HealthChange(
      locator: IPv4Address(number: UInt32(number)), key: EndpointKey(vip: .any, transport: .tcp, port: 80),
      isHealthy: isHealthy, reason: "")
  }

  private func statistics(_ problem: String) -> NodeStatistics {
    NodeStatistics(bgp: [], counters: [], problems: [problem])
  }

  @Test func acknowledgementsGoFirstAndStatisticsLast() {
    var queue = ReportQueue()
    queue.add(.statistics(statistics("old")))
    queue.add(.health([change(1, true), change(2, true)]))
    queue.add(.acknowledged(Revision(1), Epoch(1)))
    queue.add(.statistics(statistics("new")))
    queue.add(.health([change(1, false)]))
    queue.add(.acknowledged(Revision(2), Epoch(1)))
    #expect(queue.next() == .acknowledged(Revision(2), Epoch(1)))
    #expect(queue.next() == .health([change(1, false), change(2, true)]))
    #expect(queue.next() == .statistics(statistics("new")))
    #expect(queue.next() == nil)
  }

  @Test func manyHealthChangesGoInBatches() {
    var queue = ReportQueue()
    let changes = (0..<2500).map { change($0, $0 % 2 == 0) }
    queue.add(.health(changes))
    var sent: [HealthChange] = []
    var batches = 0
    while case .health(let batch)? = queue.next() {
      sent += batch
      batches += 1
    }
    #expect(sent == changes)
    #expect(batches == 3)
  }

  @Test func aNewStreamKeepsHealthOnly() {
    var queue = ReportQueue()
    queue.add(.acknowledged(Revision(2), Epoch(1)))
    queue.add(.health([change(1, false)]))
    queue.add(.statistics(statistics("old")))
    queue.beginStream()
    #expect(queue.next() == .health([change(1, false)]))
    #expect(queue.next() == nil)
  }

  private func lease(_ number: Int) throws -> PortLease {
    let range = PortRange(
      vip: IPv4Address(number: UInt32(number / 8064)), firstPort: UInt16(1024 + number % 8064 * 8))
    return PortLease(try #require(range), to: .any)
  }

  @Test func eachRequestAndEachRangeWaitsOnce() throws {
    var queue = ReportQueue()
    let requests = (0..<3).map { PortRequest(locator: IPv4Address(number: $0)) }
    queue.add(.portsReturned([try lease(1), try lease(2)]))
    queue.add(.health([change(1, true)]))
    for request in requests + requests { queue.add(.portRequest(request)) }
    queue.add(.portsReturned([try lease(2), try lease(3)]))
    queue.add(.acknowledged(Revision(1), Epoch(1)))
    // The acknowledgement may be of another lease of the same range.
    #expect(queue.next() == .portsReturned([try lease(1), try lease(2), try lease(3)]))
    #expect(queue.next() == .acknowledged(Revision(1), Epoch(1)))
    for request in requests { #expect(queue.next() == .portRequest(request)) }
    #expect(queue.next() == .health([change(1, true)]))
    #expect(queue.next() == nil)
    queue.add(.portRequest(requests[0]))
    #expect(queue.next() == .portRequest(requests[0]))
    queue.add(.portRequest(requests[1]))
    queue.add(.portsReturned([try lease(1)]))
    queue.beginStream()
    #expect(queue.next() == nil)
  }

  @Test func manyRangesGoInBatches() throws {
    var queue = ReportQueue()
    let leases = try (0..<20_000).map { try lease($0) }
    queue.add(.portsReturned(leases))
    var sent: [PortLease] = []
    var batches = 0
    while case .portsReturned(let batch)? = queue.next() {
      sent += batch
      batches += 1
    }
    #expect(sent == leases)
    #expect(batches == 3)
  }

  @Test func delaysGrowToTheLimitAndAreShortenedAtRandom() {
    var delay = RetryDelay()
    #expect(
      (0..<7).map { _ in delay.next(fraction: 1) }
        == [100, 200, 400, 800, 1600, 2000, 2000].map { .milliseconds($0) })
    #expect(delay.next(fraction: 0) == .seconds(1))
    delay.reset()
    #expect(delay.next(fraction: 0) == .milliseconds(50))
  }

  @Test func whatTakesTheSamePlaceIsNotNew() {
    var queue = ReportQueue()
    let request = PortRequest(locator: IPv4Address(10, 64, 1, 1))
    let other = PortRequest(locator: IPv4Address(10, 64, 1, 2))
    let reports: [Report] = [
      .portRequest(request), .health([change(1, true)]), .acknowledged(Revision(1), Epoch(1)),
      .statistics(statistics("")),
    ]
    #expect(reports.map { queue.add($0) } == [true, true, true, true])
    #expect(reports.map { queue.add($0) } == [false, false, false, false])
    let more: [Report] = [.portRequest(other), .health([change(1, false), change(2, true)])]
    #expect(more.map { queue.add($0) } == [true, true])
    while queue.next() != nil {}
    #expect(reports.map { queue.add($0) } == [true, true, true, true])
  }
}
