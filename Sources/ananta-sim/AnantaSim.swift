import ArgumentParser
import Simulator

@main
struct AnantaSim: ParsableCommand {
  @Option var seeds = 100
  func run() throws {
    var total = Counts()
    var ms = 0
    for seed in 0..<UInt64(seeds) {
      let verdict = Simulation(seed: seed).run()
      total.add(verdict.counts)
      ms += verdict.milliseconds
      if let finding = verdict.finding { print("seed \(seed): \(finding)") }
    }
    print(ms)
    for occurrence in Occurrence.allCases { print(occurrence.name, total[occurrence]) }
  }
}
