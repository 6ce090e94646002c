#if !$Embedded
public import Wire

/// Consistent hashing with even shares: Eisenbud et al., "Maglev", NSDI 2016, §3.4.
public enum MaglevTable {
  /// The order in which a backend would like the slots: `offset`, `offset + skip`, `offset + 2·skip`, … modulo
  /// the number of slots, which visits each once when that number is prime.
  public struct Permutation: IteratorProtocol, Sendable {
    /// The slot it likes best.
    public let offset: Int
    /// From each to the next; 1 to `slotCount - 1`.
    public let skip: Int
    let slotCount: Int
    var upcoming: Int

    /// Takes the two numbers that make a permutation.
    public init(offset: Int, skip: Int, slotCount: Int) {
      precondition(slotCount > 1 && offset >= 0 && offset < slotCount && skip > 0 && skip < slotCount)
      self.offset = offset
      self.skip = skip
      self.slotCount = slotCount
      upcoming = offset
    }

    /// The permutation of a backend: two hashes of its locator, keyed by the pool's seed.
    public init(of locator: IPv4Address, hash: PoolHash, slotCount: Int) {
      self.init(
        offset: Int(hash.hash(locator: locator, round: 1) % UInt64(slotCount)),
        skip: Int(hash.hash(locator: locator, round: 2) % UInt64(slotCount - 1)) + 1, slotCount: slotCount)
    }

    /// The next slot of the permutation; it never ends.
    public mutating func next() -> Int? {
      let slot = upcoming
      upcoming += skip
      if upcoming >= slotCount { upcoming -= slotCount }
      return slot
    }
  }

  /// Lets the backends take slots in turns until none is left, each the next free one of its preferences.
  ///
  /// With weights, W the largest of them: in round r = 1, 2, … a backend of weight w takes a turn when
  /// r·w ≥ t·W, t being the turns it has had. So a backend of weight W has a turn in every round, one of W/2 in
  /// every second; with equal weights this is the algorithm of the paper. Weights are above 0.
  /// Without backends every slot holds `UInt16.max`.
  public static func fill<Preferences: IteratorProtocol<Int>>(
    slotCount: Int, preferences: [Preferences], weights: [Int]
  ) -> [UInt16] {
    precondition(preferences.count == weights.count && preferences.count < Int(UInt16.max))
    precondition(weights.allSatisfy { $0 > 0 }, "weights are above 0")
    var slots = [UInt16](repeating: .max, count: slotCount)
    guard let largest = weights.max() else { return slots }
    var preferences = preferences
    var due = [Int](repeating: 0, count: weights.count)
    var free = slotCount
    var round = 0
    while free > 0 {
      round += 1
      for backend in weights.indices where round * weights[backend] >= due[backend] {
        due[backend] += largest
        while let slot = preferences[backend].next() {
          guard slots[slot] == .max else { continue }
          slots[slot] = UInt16(backend)
          break
        }
        free -= 1
        if free == 0 { break }
      }
    }
    return slots
  }

  /// The table of a set of backends, which must be sorted by locator so that every MUX builds the same one; a
  /// slot holds the place of its backend in the list.
  public static func build(_ backends: [WeightedBackend], hash: PoolHash, slotCount: Int) -> [UInt16] {
    fill(
      slotCount: slotCount,
      preferences: backends.map { Permutation(of: $0.locator, hash: hash, slotCount: slotCount) },
      weights: backends.map(\.weight))
  }

  /// Whether a number of slots will do: a prime, so that every permutation visits every slot.
  public static func isPrime(_ number: Int) -> Bool {
    guard number > 1 else { return false }
    var divisor = 2
    while divisor * divisor <= number {
      if number % divisor == 0 { return false }
      divisor += 1
    }
    return true
  }
}
#endif
