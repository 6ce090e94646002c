import Testing

/// Whole clusters under faults; a finding names its seed, and the seed replays exactly.
struct SimulationTests {
  @Test("nothing is found whatever happens", arguments: stride(from: UInt64(0), to: 320, by: 40).map { $0 })
  func nothingFound(first: UInt64) {
    var acknowledged = 0
    var reads = 0
    var snapshots = 0
    var changes = 0
    for seed in first..<first + 40 {
      var world = World(seed: seed)
      #expect(world.run() == nil)
      acknowledged += world.checker.acknowledged
      reads += world.checker.reads
      snapshots += world.checker.snapshotsInstalled
      changes += world.checker.changesApplied
    }
    // A cluster that does nothing is never wrong.
    #expect(acknowledged > 40 * 30)
    #expect(reads > 40 * 30)
    #expect(snapshots > 40)
    #expect(changes > 5)
  }

  @Test("a bug put in on purpose is found within 1,000 seeds", arguments: Bug.allCases)
  func bugIsFound(bug: Bug) {
    let finding = (UInt64(0)..<1_000).lazy.compactMap { seed in
      var world = World(seed: seed, bug: bug)
      return world.run()
    }.first { !$0.contains("liveness") }
    #expect(finding != nil)
  }

  @Test("a seed replays exactly")
  func seedReplays() {
    var first = World(seed: 3)
    var second = World(seed: 3)
    #expect(first.run() == second.run())
    #expect(first.checker.acknowledged == second.checker.acknowledged)
    #expect(first.nodes.map(\.durable) == second.nodes.map(\.durable))
  }
}
