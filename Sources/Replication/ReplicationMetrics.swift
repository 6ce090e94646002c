import Control

/// What a replica counts.
struct ReplicationMetrics: Sendable {
  /// Upper bounds of the buckets, microseconds: 1-2-5 steps from a fast disk's sync to an election.
  static let boundsMicroseconds: [UInt64] = [
    200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000,
    5_000_000,
  ]

  var elections: UInt64 = 0
  var depositions: UInt64 = 0
  /// Entries of the manager that were chosen.
  var entries: UInt64 = 0
  var batches: UInt64 = 0
  var diskFailures: UInt64 = 0
  var restarts: UInt64 = 0
  var rejected: [String: UInt64] = [:]
  private var buckets = [UInt64](repeating: 0, count: boundsMicroseconds.count + 1)
  private var sumMicroseconds: UInt64 = 0

  /// Counts an own entry, from when it was appended until it was chosen.
  mutating func record(commit microseconds: UInt64) {
    let bucket = Self.boundsMicroseconds.firstIndex { microseconds <= $0 } ?? Self.boundsMicroseconds.count
    buckets[bucket] += 1
    sumMicroseconds &+= microseconds
  }

  var counters: [Counter] {
    var all = [
      Counter(name: "ananta_log_elections_total", labels: [:], value: elections),
      Counter(name: "ananta_log_depositions_total", labels: [:], value: depositions),
      Counter(name: "ananta_log_entries_total", labels: [:], value: entries),
      Counter(name: "ananta_log_batches_total", labels: [:], value: batches),
      Counter(name: "ananta_log_disk_failures_total", labels: [:], value: diskFailures),
      Counter(name: "ananta_log_restarts_total", labels: [:], value: restarts),
      Counter(name: "ananta_log_commit_microseconds_sum", labels: [:], value: sumMicroseconds),
      Counter(name: "ananta_log_commit_microseconds_count", labels: [:], value: buckets.reduce(0, +)),
    ]
    var below: UInt64 = 0
    for (bound, count) in zip(Self.boundsMicroseconds.map { "\($0)" } + ["+Inf"], buckets) {
      below += count
      all.append(
        Counter(name: "ananta_log_commit_microseconds_bucket", labels: ["le": bound], value: below))
    }
    for (reason, count) in rejected.sorted(by: { $0.key < $1.key }) {
      all.append(Counter(name: "ananta_log_rejected_total", labels: ["reason": reason], value: count))
    }
    return all
  }
}
