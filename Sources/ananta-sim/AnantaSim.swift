import ArgumentParser
import Simulator

@main
struct AnantaSim: ParsableCommand {
  @Option var seeds = 100
  @Option var first = 0
  @Option var bug: String?
  @Flag var trace = false
  func run() throws {
    var total = Counts()
    var ms = 0
    for seed in UInt64(first)..<UInt64(first+seeds) {
      let verdict = Simulation(seed: seed, bug: bug.flatMap{Bug(rawValue: $0)}).run(keepsTrace: trace)
      total.add(verdict.counts)
      ms += verdict.milliseconds
      if let finding = verdict.finding { print("seed \(seed): \(finding)") }
      if trace { for l in verdict.trace { print(l) } }
    }
    print(ms)
    for occurrence in Occurrence.allCases { print(occurrence.name, total[occurrence]) }
  }
}
