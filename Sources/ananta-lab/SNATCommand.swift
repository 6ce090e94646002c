import ArgumentParser
import Lab

/// Measures how VMs reach the internet.
struct SNATCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "snat",
    abstract: "Build a lab and measure how its VMs reach the internet by leased ports.")
  @OptionGroup var lab: LabOption
  @OptionGroup var options: PlanOptions
  @Option(help: "How many connections one VM holds at once.") var connections = 50_000
  @Option(help: "How often a VM is left without a port, to time what a new one takes.") var roundTrips = 100
  @Option(help: "How many times the managers' capacity of requests is asked of them.") var excess = 10
  @Option(name: [.customShort("o"), .customLong("output")], help: "table or json.")
  var format = OutputFormat.table

  func validate() throws {
    guard connections > 0, roundTrips > 0, excess > 0 else {
      throw ValidationError("Numbers are at least 1.")
    }
  }

  func run() async throws {
    let plan = try options.plan(name: lab.name, isForDemo: true)
    var settings = SNATMeasurement.Settings()
    settings.connections = connections
    settings.delay.roundTrips = roundTrips
    settings.excess = excess
    let chosen = settings
    let result = try await Interruptible.run {
      let scene = try Scene(plan.topology)
      var lab = try await Lab.up(plan) { Console.tell($0) }
      let measured: Result<SNATMeasurement, any Error>
      do {
        measured = .success(
          try await SNATMeasurement.take(in: &lab, scene: scene, settings: chosen) { Console.tell($0) })
      } catch {
        measured = .failure(error)
      }
      let name = plan.name
      // Cancellation must not keep the lab, and what keeps it must not keep what was measured.
      let removal = await Task { _ = try await Lab.down(name) }.result
      if case .failure(let error) = removal { Console.tell("\(error)") }
      return try measured.get()
    }
    switch format {
    case .table:
      Console.write(result.text)
      Console.write(result.passed ? "Every claim holds.\n" : "A claim FAILED; see NO above.\n")
    case .json: try Console.write(json: result)
    }
    if !result.passed { throw ExitCode.failure }
  }
}
