import Simulator
import Testing

/// Whole control planes under faults; a finding names its seed, and the seed replays exactly.
@Suite("Simulated lives") struct SimulationTests {
  @Test(
    "nothing is found, whatever goes wrong", arguments: stride(from: UInt64(0), to: 16, by: 8).map { $0 })
  func nothingFound(first: UInt64) {
    var counts = Counts()
    for seed in first..<first + 8 {
      let verdict = Simulation(seed: seed).run()
      #expect(verdict.finding == nil, "seed \(seed)")
      counts.add(verdict.counts)
    }
    // A control plane that does nothing is never wrong.
    let done: [Occurrence] = [
      .elections, .writesAcknowledged, .readsAnswered, .waitsEnded, .updatesApplied, .snapshotsTaken,
      .snapshotsInstalled, .rangesLeased, .portsReturned, .portsRefused, .recallsAnswered,
    ]
    for occurrence in done { #expect(counts[occurrence] >= 3, "\(occurrence.name)") }
    let suffered: [Occurrence] = [
      .partitions, .crashes, .suspensions, .diskStalls, .agentCrashes, .agentsDeaf,
    ]
    for occurrence in suffered { #expect(counts[occurrence] >= 2, "\(occurrence.name)") }
  }

  /// A little before the seed that finds a bug, to keep the time short; `ananta-sim --bug` begins at seed 0.
  static let hidingPlaces: [(Simulator.Bug, UInt64)] = Simulator.Bug.allCases.map { bug in
    switch bug {
    case .amnesiacVoter: (bug, 14)
    case .idleAnswerUnconfirmed: (bug, 8)
    case .stalePrimaryNotFenced: (bug, 8)
    case .leaseIgnoresDrift: (bug, 172)
    case .acceptAnsweredBeforeFsync: (bug, 26)
    case .rangeReusedWhileHeld: (bug, 23)
    default: (bug, 0)
    }
  }

  @Test("a bug put in on purpose is found", arguments: hidingPlaces)
  func bugIsFound(bug: Simulator.Bug, first: UInt64) throws {
    let finding = (first..<1_000).lazy.compactMap { Simulation(seed: $0, bug: bug).run().finding }
      .first { $0.rule != .convergence }
    let rule = try #require(finding?.rule)
    // The checks of ports are there for these.
    if [.grantBeforeMuxes, .rangeReusedWhileHeld].contains(bug) { #expect(rule == .ports) }
  }

  @Test("a seed is one life: with its trace or without, now and later", arguments: [3, 8] as [UInt64])
  func seedReplays(seed: UInt64) {
    let first = Simulation(seed: seed).run()
    let second = Simulation(seed: seed).run(keepsTrace: true)
    #expect(first.digest == second.digest)
    #expect(first.counts == second.counts)
    #expect(first.milliseconds == second.milliseconds)
    #expect(first.trace.isEmpty && !second.trace.isEmpty)
    #expect(Simulation(seed: seed + 1).run().digest != first.digest)
  }

  @Test("a finding replays too, and its trace leads to it")
  func findingReplays() throws {
    let bug = Simulator.Bug.snapshotLosesLastEntry
    let seed = try #require((UInt64(0)..<100).first { Simulation(seed: $0, bug: bug).run().finding != nil })
    let first = Simulation(seed: seed, bug: bug).run()
    let second = Simulation(seed: seed, bug: bug).run(keepsTrace: true)
    #expect(first.finding == second.finding)
    #expect(first.digest == second.digest)
    #expect(!second.trace.isEmpty)
  }

  @Test("without faults nothing goes wrong, and all is done")
  func calmLife() {
    for seed in UInt64(0)..<2 {
      let verdict = Simulation(seed: seed, rates: .none).run()
      #expect(verdict.finding == nil)
      let faults: [Occurrence] = [.crashes, .partitions, .messagesLost, .updatesRefused, .primariesFenced]
      for occurrence in faults { #expect(verdict.counts[occurrence] == 0, "\(occurrence.name)") }
      #expect(verdict.counts[.depositions] == 0)
    }
  }
}
