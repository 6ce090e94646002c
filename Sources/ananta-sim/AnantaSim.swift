import ArgumentParser
import Foundation
import Simulator

/// Runs simulated lives of a control plane, each from its seed, and says what was found.
@main
struct AnantaSim: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ananta-sim",
    abstract:
      "Runs the control plane in simulated data centres where everything goes wrong, and checks every step.",
    discussion: """
      A life is five or three managers with one to spare, three to six nodes and some operators, from one seed: the same
      seed is the same life, on every machine. A finding ends a life; it is printed with its seed and the last events,
      and the exit status is 1. `ananta-sim --first-seed S --seeds 1 --trace` shows that life again.

      Faults: \(Fault.allCases.map(\.rawValue).joined(separator: ", ")).
      Bugs: \(Bug.allCases.map(\.rawValue).joined(separator: ", ")).
      """)

  @Option(help: "How many lives; 1 to 10,000,000.")
  var seeds = 1000

  @Option(help: "The seed of the first; the others follow it.")
  var firstSeed: UInt64 = 0

  @Option(
    help: ArgumentHelp("Puts a mistake in on purpose, to see that it is found.", valueName: "name"),
    transform: Self.named)
  var bug: Bug?

  @Option(
    help: ArgumentHelp("Leaves a fault out; may be repeated.", valueName: "fault"), transform: Self.named)
  var without: [Fault] = []

  @Option(
    help: ArgumentHelp(
      "A fault's share among all, instead of its usual one; may be repeated.", valueName: "fault=n"))
  var rate: [Rate] = []

  @Option(help: "Lives at one time; as many as there are processors by default.")
  var jobs = ProcessInfo.processInfo.activeProcessorCount

  @Option(help: "Ends after so many findings.")
  var findings = 10

  @Flag(help: "Prints the last events of each life.")
  var trace = false

  func validate() throws {
    guard (1...10_000_000).contains(seeds) else { throw ValidationError("--seeds must be 1 to 10,000,000") }
    guard (1...256).contains(jobs) else { throw ValidationError("--jobs must be 1 to 256") }
    guard findings >= 1 else { throw ValidationError("--findings must be 1 or more") }
    guard UInt64.max - firstSeed >= UInt64(seeds) else { throw ValidationError("--first-seed is too large") }
  }

  func run() async throws {
    let start = ContinuousClock.now
    var tally = Tally()
    await withTaskGroup(of: Simulation.Verdict.self) { lives in
      var next = firstSeed
      let end = firstSeed + UInt64(seeds)
      while next < end, next < firstSeed + UInt64(jobs) {
        add(next, to: &lives)
        next += 1
      }
      for await verdict in lives {
        tally.add(verdict)
        if verdict.finding != nil || trace { Printer.show(verdict) }
        guard next < end, tally.findings.count < findings else { continue }
        add(next, to: &lives)
        next += 1
      }
    }
    Printer.summarize(tally, took: ContinuousClock.now - start)
    if !tally.findings.isEmpty { throw ExitCode(1) }
  }

  private func add(_ seed: UInt64, to lives: inout TaskGroup<Simulation.Verdict>) {
    let simulation = Simulation(seed: seed, bug: bug, rates: rates)
    let trace = trace
    lives.addTask {
      let verdict = simulation.run(keepsTrace: trace)
      // A life with a finding is lived again for its last events, which are not kept otherwise.
      return verdict.finding == nil || trace ? verdict : simulation.run(keepsTrace: true)
    }
  }

  /// The fault, or the bug, of this name.
  private static func named<Value: RawRepresentable & CaseIterable>(_ name: String) throws -> Value
  where Value.RawValue == String {
    guard let value = Value(rawValue: name) else {
      let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("'\(name)' is none of \(names)")
    }
    return value
  }

  private var rates: FaultRates {
    var rates = FaultRates.all
    for rate in rate { rates[rate.fault] = rate.share }
    for fault in without { rates[fault] = 0 }
    return rates
  }
}

/// `loss=20`.
struct Rate: ExpressibleByArgument, Sendable {
  let fault: Fault
  let share: Int

  init?(argument: String) {
    let parts = argument.split(separator: "=")
    guard parts.count == 2, let fault = Fault(rawValue: String(parts[0])), let share = Int(parts[1]),
      (0...1_000_000).contains(share)
    else { return nil }
    self.fault = fault
    self.share = share
  }
}
