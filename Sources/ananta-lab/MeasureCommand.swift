import ArgumentParser
import Lab

/// Measures the control plane.
struct MeasureCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "control",
    abstract: "Build a lab and measure its control plane: changes, a leader's death, and too much work.")
  @OptionGroup var lab: LabOption
  @OptionGroup var options: PlanOptions
  @Option(help: "How many changes are timed.") var applies = 500
  @Option(help: "How many leaders are killed.") var kills = 20
  @Option(help: "How many times its capacity is asked of the stages.") var excess = 10
  @Option(name: [.customShort("o"), .customLong("output")], help: "table or json.")
  var format = OutputFormat.table

  func validate() throws {
    guard applies > 0, kills > 0, excess > 0 else { throw ValidationError("Numbers are at least 1.") }
  }

  func run() async throws {
    let plan = try options.plan(name: lab.name, isForDemo: true)
    var settings = ControlMeasurement.Settings()
    settings.applies = applies
    settings.kills = kills
    settings.excess = excess
    let chosen = settings
    let result = try await Interruptible.run {
      let lab = try await Lab.up(plan) { Console.tell($0) }
      let measured: Result<ControlMeasurement, any Error>
      do {
        measured = .success(
          try await ControlMeasurement.take(in: lab, settings: chosen) { Console.tell($0) })
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
    case .table: Console.write(result.text)
    case .json: try Console.write(json: result)
    }
  }
}
