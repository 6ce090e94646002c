import Control
import Testing

@testable import Presentation

@Suite("A manager's counters") struct CounterTablesTests {
  private static let queue = ["stage": "snat-management", "priority": "normal"]
  private static let counters = [
    Counter(name: "ananta_stage_admitted_total", labels: queue, value: 12),
    Counter(name: "ananta_stage_length", labels: queue, value: 3),
    Counter(name: "ananta_stage_wait_microseconds_p99", labels: queue, value: 12_345),
    Counter(name: "ananta_stage_wait_microseconds_p50", labels: queue, value: 350),
    Counter(
      name: "ananta_stage_shed_total", labels: queue.merging(["reason": "full"]) { $1 }, value: 4),
    Counter(
      name: "ananta_stage_shed_total", labels: queue.merging(["reason": "key-limit"]) { $1 }, value: 1),
    Counter(name: "ananta_log_syncs_total", labels: [:], value: 7),
    Counter(name: "ananta_log_restarts_total", labels: [:], value: 0),
    Counter(name: "ananta_log_commit_microseconds_bucket", labels: ["le": "200"], value: 5),
  ]

  @Test("one row for each queue, whatever shed") func stages() {
    let table = CounterTables.stages(Self.counters)
    #expect(
      table.rows == [
        ["snat-management", "normal", "3", "-", "12", "5", "-", "-", "0.35ms", "12ms", "-", "-"]
      ])
  }

  @Test("the others by name, without zeroes and buckets") func others() {
    #expect(CounterTables.others(Self.counters).rows == [["ananta_log_syncs_total", "-", "7"]])
  }
}
