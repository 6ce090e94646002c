import SEDA
import Testing

struct HistogramTests {
  struct Row: CustomTestStringConvertible, Sendable {
    let durations: [UInt64]
    let p50: UInt64
    let p99: UInt64
    var testDescription: String { "\(durations.count) durations, p50 \(p50), p99 \(p99)" }
  }

  static let rows = [
    Row(durations: [], p50: 0, p99: 0),
    Row(durations: [0], p50: 0, p99: 0),
    Row(durations: [70], p50: 70, p99: 70),
    Row(durations: [150, 150, 150, 9_000], p50: 200, p99: 9_000),
    Row(durations: [100, 101], p50: 100, p99: 101),
    Row(durations: Array(repeating: 900, count: 99) + [40_000], p50: 1_000, p99: 1_000),
    Row(durations: Array(repeating: 900, count: 98) + [40_000, 41_000], p50: 1_000, p99: 41_000),
    Row(durations: [90_000_000, 80_000_000], p50: 90_000_000, p99: 90_000_000),
  ]

  @Test("quantiles are rounded up to a bound, never beyond the longest", arguments: rows)
  func quantiles(row: Row) {
    var histogram = DurationHistogram()
    for duration in row.durations { histogram.record(duration) }
    #expect(histogram.p50 == row.p50)
    #expect(histogram.p99 == row.p99)
    #expect(histogram.count == UInt64(row.durations.count))
    #expect(histogram.sumMicroseconds == row.durations.reduce(0, +))
  }

  @Test("the sum of two histograms counts what both did")
  func addition() {
    var left = DurationHistogram()
    var right = DurationHistogram()
    var both = DurationHistogram()
    for duration in stride(from: UInt64(1), to: 1_000_000, by: 7_919) {
      if duration.isMultiple(of: 2) { left.record(duration) } else { right.record(duration) }
      both.record(duration)
    }
    left.add(right)
    #expect(left == both)
  }
}
