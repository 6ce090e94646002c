import ArgumentParser
import Lab

/// Shows what Ananta claims.
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Build a lab, balance real traffic, break things, and show what happened.")
  @OptionGroup var lab: LabOption
  @OptionGroup var options: PlanOptions
  @Option(name: [.customShort("o"), .customLong("output")], help: "table or json.")
  var format = OutputFormat.table

  func run() async throws {
    let plan = try options.plan(name: lab.name, isForDemo: true)
    let report = try await Interruptible.run {
      try await Demo(plan: plan) { Console.tell($0) }.run()
    }
    switch format {
    case .table:
      let seconds = Int(report.seconds.rounded())
      Console.write("\n" + report.table + "\n")
      Console.write(
        report.passed
          ? "Every claim holds. It took \(seconds) s.\n"
          : "A claim FAILED; see NO above. It took \(seconds) s.\n")
    case .json: try Console.write(json: report)
    }
    if !report.passed { throw ExitCode.failure }
  }
}
