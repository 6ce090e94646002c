import Control
import Testing

@Suite("What a node says of itself") struct StatisticsTests {
  private static func statistics(counters: Int, problem: String = "no carrier") -> NodeStatistics {
    NodeStatistics(
      bgp: [], counters: (0..<counters).map { Counter(name: "packets", labels: ["vip": "\($0)"], value: 1) },
      problems: [problem], paths: [ForwardingPath(role: .mux, device: "eth0", path: "tc")])
  }

  @Test("is kept whole as long as it is of a sensible size") func whole() {
    #expect(Self.statistics(counters: 1000).trimmed == Self.statistics(counters: 1000))
  }

  @Test("is cut where it would fill the manager, and says so") func cut() {
    let trimmed = Self.statistics(counters: 100_000).trimmed
    #expect(trimmed.counters.count > 1000 && trimmed.counters.count < 70_000)
    #expect(trimmed.problems == ["no carrier", "the node says more of itself than a manager keeps"])
    #expect(trimmed.paths.count == 1)
  }

  @Test("an endless sentence is left out") func endless() {
    let trimmed = Self.statistics(counters: 1, problem: String(repeating: "x", count: 3 << 20)).trimmed
    #expect(trimmed.problems == ["the node says more of itself than a manager keeps"])
  }
}
