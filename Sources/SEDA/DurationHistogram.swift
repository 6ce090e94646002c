/// Durations counted in fixed buckets, so that those of several stages and replicas can be added.
public struct DurationHistogram: Equatable, Sendable {
  /// Upper bounds of the buckets, microseconds: 1-2-5 steps from what a queue costs to what nobody waits for.
  public static let boundsMicroseconds: [UInt64] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000,
    2_000_000,
    5_000_000, 10_000_000, 20_000_000, 60_000_000,
  ]

  /// Durations per bucket; the last bucket holds what is beyond every bound.
  public private(set) var counts = [UInt64](repeating: 0, count: boundsMicroseconds.count + 1)
  /// All durations together, microseconds.
  public private(set) var sumMicroseconds: UInt64 = 0
  /// The longest duration, microseconds.
  public private(set) var longestMicroseconds: UInt64 = 0

  /// An empty histogram.
  public init() {}

  /// Durations counted.
  public var count: UInt64 { counts.reduce(0, +) }
  /// The mean, microseconds; 0 when nothing was counted.
  public var mean: UInt64 { sumMicroseconds / max(1, count) }
  /// The median, rounded up to its bucket's bound, microseconds; 0 when nothing was counted.
  public var p50: UInt64 { quantile(perMille: 500) }
  /// The duration that 99 % did not exceed, rounded up to its bucket's bound, microseconds.
  public var p99: UInt64 { quantile(perMille: 990) }

  /// Counts a duration in microseconds.
  public mutating func record(_ microseconds: UInt64) {
    let bucket = Self.boundsMicroseconds.firstIndex { microseconds <= $0 } ?? Self.boundsMicroseconds.count
    counts[bucket] += 1
    sumMicroseconds &+= microseconds
    longestMicroseconds = max(longestMicroseconds, microseconds)
  }

  /// Adds what another histogram counted.
  public mutating func add(_ other: DurationHistogram) {
    for bucket in counts.indices { counts[bucket] += other.counts[bucket] }
    sumMicroseconds &+= other.sumMicroseconds
    longestMicroseconds = max(longestMicroseconds, other.longestMicroseconds)
  }

  /// A quantile, rounded up to its bucket's bound but never beyond the longest duration.
  ///
  /// - Parameter perMille: 0 to 1000.
  /// - Returns: microseconds; 0 when nothing was counted.
  public func quantile(perMille: UInt64) -> UInt64 {
    let wanted = (count * perMille + 999) / 1_000
    var seen: UInt64 = 0
    for (bucket, bound) in Self.boundsMicroseconds.enumerated() {
      seen += counts[bucket]
      if seen >= wanted { return min(bound, longestMicroseconds) }
    }
    return longestMicroseconds
  }
}
