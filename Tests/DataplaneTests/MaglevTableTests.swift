import Dataplane
import PacketBuilder
import Testing
import Wire

/// Eisenbud et al., "Maglev", NSDI 2016, §3.4, and what others published of the same algorithm.
@Suite struct MaglevTableTests {
  /// A list of preferences written out.
  static func fill(_ permutations: [[Int]]) -> [UInt16] {
    MaglevTable.fill(
      slotCount: 7, preferences: permutations.map { $0.makeIterator() },
      weights: [Int](repeating: 1, count: permutations.count))
  }

  @Test func table1OfThePaper() {
    let permutations = [[3, 0, 4, 1, 5, 2, 6], [0, 2, 4, 6, 1, 3, 5], [3, 4, 5, 6, 0, 1, 2]]
    #expect(Self.fill(permutations) == [1, 0, 1, 0, 2, 2, 0])
    // "after": B1 removed; what was B2 is now at place 1.
    #expect(Self.fill([permutations[0], permutations[2]]) == [0, 0, 0, 0, 1, 1, 1])
  }

  @Test func table1FromOffsetAndSkip() {
    let numbers = [(3, 4), (0, 2), (3, 1)]
    let table = MaglevTable.fill(
      slotCount: 7,
      preferences: numbers.map { MaglevTable.Permutation(offset: $0.0, skip: $0.1, slotCount: 7) },
      weights: [1, 1, 1])
    #expect(table == [1, 0, 1, 0, 2, 2, 0])
  }

  /// Expectations of Envoy's maglev_lb_test.cc; offset and skip are XXH64 of "127.0.0.1:90", … with seeds 0
  /// and 1 modulo 7 or 17, as Envoy computes them.
  @Test func envoyBasic() {
    let numbers = [(2, 4), (3, 6), (0, 2), (3, 3), (1, 3), (1, 5)]
    let table = MaglevTable.fill(
      slotCount: 7,
      preferences: numbers.map { MaglevTable.Permutation(offset: $0.0, skip: $0.1, slotCount: 7) },
      weights: [1, 1, 1, 1, 1, 1])
    #expect(table == [2, 4, 0, 1, 5, 0, 3])
  }

  /// Envoy's tests "Weighted", "LocalityWeightedSameLocalityWeights" and
  /// "LocalityWeightedDifferentLocalityWeights".
  @Test(
    arguments: [
      ([1, 2], [1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1]),
      ([1, 1], [1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1]),
      ([8, 2], [1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]),
    ] as [([Int], [UInt16])])
  func envoyWeighted(weights: [Int], expected: [UInt16]) {
    let numbers = [(1, 6), (9, 14)]
    let table = MaglevTable.fill(
      slotCount: 17,
      preferences: numbers.map { MaglevTable.Permutation(offset: $0.0, skip: $0.1, slotCount: 17) },
      weights: weights)
    #expect(table == expected)
  }

  static func backends(_ count: Int) -> [WeightedBackend] {
    (0..<count).map { WeightedBackend(locator: IPv4Address(number: 0x0a01_0001 + UInt32($0))) }
  }

  static func counts(_ table: [UInt16], _ count: Int) -> [Int] {
    table.reduce(into: [Int](repeating: 0, count: count)) { $0[Int($1)] += 1 }
  }

  /// With 100 slots per backend no share is more than 2 % above another (§5.3).
  @Test(arguments: [1, 2, 3, 10, 100, 655])
  func balance(count: Int) throws {
    let table = MaglevTable.build(Self.backends(count), hash: PoolHash(seed: 5), slotCount: 65_537)
    let counts = Self.counts(table, count)
    let (least, most) = (try #require(counts.min()), try #require(counts.max()))
    #expect(Double(most) / Double(least) <= 1.02)
  }

  @Test(arguments: [[1, 2, 3, 4], [100, 1], [7, 7, 1], [65_535, 1]])
  func weights(weights: [Int]) {
    var backends = Self.backends(weights.count)
    for place in weights.indices { backends[place].weight = weights[place] }
    let table = MaglevTable.build(backends, hash: PoolHash(seed: 5), slotCount: 65_537)
    let counts = Self.counts(table, weights.count)
    let sum = weights.reduce(0, +)
    for place in weights.indices {
      let share = Double(weights[place]) / Double(sum) * 65_537
      #expect(abs(Double(counts[place]) - share) <= 2, "\(counts)")
    }
  }

  /// A backend that leaves takes hardly any slots of others along (§5.4).
  @Test(arguments: [10, 100])
  func disruption(count: Int) {
    let hash = PoolHash(seed: 11)
    let before = MaglevTable.build(Self.backends(count), hash: hash, slotCount: 65_537)
    let rest = Self.backends(count).filter { $0.locator != Self.backends(count)[3].locator }
    let after = MaglevTable.build(rest, hash: hash, slotCount: 65_537)
    let moved = before.indices.filter { slot in
      before[slot] != 3 && Self.backends(count)[Int(before[slot])].locator != rest[Int(after[slot])].locator
    }
    #expect(Double(moved.count) / 65_537 < 0.02)
  }

  @Test func noBackends() {
    #expect(MaglevTable.build([], hash: PoolHash(seed: 1), slotCount: 7) == [UInt16](repeating: .max, count: 7))
  }

  @Test func primes() {
    #expect([2, 3, 5, 7, 251, 1_021, 65_537].allSatisfy(MaglevTable.isPrime))
    #expect(![0, 1, 4, 9, 65_536, 65_535].contains(where: MaglevTable.isPrime))
  }
}
