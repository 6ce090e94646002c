import Lab
import Testing
import Wire

struct BulkBenchmarkTests {
  static let medians: [([Double], Double)] = [([3, 1, 2], 2), ([4, 1, 2, 3], 2.5), ([7], 7), ([], 0)]

  @Test(arguments: medians)
  func takesTheMedian(rates: [Double], median: Double) {
    let way = BulkBenchmark.Way(name: "way", address: IPv4Address(number: 1), port: 1, rates: [rates])
    #expect(way.medians == [median])
  }

  @Test func comparesWithRoutingByTheSameNodes() {
    func way(_ name: String, _ rate: Double) -> BulkBenchmark.Way {
      BulkBenchmark.Way(name: name, address: IPv4Address(number: 1), port: 1, rates: [[rate]])
    }
    let benchmark = BulkBenchmark(
      streams: [4], ways: [way("host", 10), way("nodes", 8), way("VIP", 6.06)])
    let rows = benchmark.table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(rows[1] == ["host", "4", "10.00", "10.00", "10.00", "1.25"])
    #expect(rows[2].last == "-")
    #expect(rows[3] == ["VIP", "4", "6.06", "6.06", "6.06", "0.76"])
  }
}
