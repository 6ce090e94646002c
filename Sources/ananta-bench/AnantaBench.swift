import ArgumentParser
import Foundation

/// Measures the packet path on this machine.
@main
struct AnantaBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ananta-bench",
    abstract: "Measures the packet path: nanoseconds per packet, and how long tables take to build.",
    discussion: """
      Every figure is the median of the rounds; the least and the most are shown beside it. Packets lie in memory, so
      this is the cost of judging and rewriting them, without devices and system calls. What runs inside the kernel is
      measured there, needs root, and is shown above the cost of an empty program that was measured in turn with it.
      """)

  @Option(help: "How often each measurement is repeated; 1 to 1000.")
  var rounds = 7

  @Option(help: "Packets of one round; 1,000 to 100,000,000.")
  var packets = 2_000_000

  @Option(help: ArgumentHelp("How the results are printed.", valueName: "table|json"))
  var output = Format.table

  @Argument(help: "Measure only what contains one of these words.")
  var only: [String] = []

  enum Format: String, ExpressibleByArgument { case table, json }

  func validate() throws {
    guard (1...1_000).contains(rounds) else { throw ValidationError("--rounds must be 1 to 1000") }
    guard (1_000...100_000_000).contains(packets) else {
      throw ValidationError("--packets must be 1,000 to 100,000,000")
    }
  }

  func run() throws {
    var results: [Measurement] = []
    for measurement in try Measurement.inUserSpace(packets: packets) + inKernel() {
      guard isWanted(measurement.name) else { continue }
      results.append(try measurement.taken(rounds: rounds))
    }
    switch output {
    case .table: Report.table(results)
    case .json: try Report.json(results)
    }
  }

  private func isWanted(_ name: String) -> Bool { only.isEmpty || only.contains(where: name.contains) }

  /// What the kernel's programs cost; nothing where they cannot run, which is said.
  private func inKernel() -> [Measurement] {
    guard KernelBench.names.contains(where: isWanted) else { return [] }
    do {
      return try KernelBench(packets: packets).measurements()
    } catch {
      Report.complain("The kernel's programs are not measured: \(error)")
      return []
    }
  }
}
