import Simulator

/// What came of many lives.
struct Tally {
  private(set) var lives = 0
  private(set) var counts = Counts()
  private(set) var milliseconds = 0
  private(set) var findings: [UInt64] = []
  /// Of all lives, in whatever order they ended: the same seeds give the same number.
  private(set) var digest: UInt64 = 0

  mutating func add(_ verdict: Simulation.Verdict) {
    lives += 1
    counts.add(verdict.counts)
    milliseconds += verdict.milliseconds
    digest &+= verdict.digest
    if verdict.finding != nil { findings.append(verdict.seed) }
  }
}
