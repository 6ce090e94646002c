import ArgumentParser
import Lab

/// Breaks managers again and again while clients work.
struct ChaosCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chaos",
    abstract:
      "Build a lab, kill, stop and cut off its managers while clients work, and judge what these saw.",
    discussion: """
      Equal seeds do the same, though not at the same instants. Exit status 1: something was found; what clients saw and
      agents said is then in --evidence.
      """)
  @OptionGroup var lab: LabOption
  @OptionGroup var options: PlanOptions
  @Option(help: "How many rounds of faults; one takes about 1.5 s.") var rounds = 50
  @Option(help: "Decides what is done; drawn at random and printed if left out.") var seed: UInt64?
  @Option(help: "Processes that work.") var processes = 2
  @Option(help: "Clients in each of them.") var clients = 4
  @Option(help: "Registers that they share.") var registers = 5
  @Option(help: "Directory for what was seen, if something is found.") var evidence = "chaos-evidence"
  @Option(name: [.customShort("o"), .customLong("output")], help: "table or json.")
  var format = OutputFormat.table

  func validate() throws {
    guard rounds > 0 else { throw ValidationError("--rounds is at least 1.") }
    guard processes > 0, clients > 0, processes * clients < RegisterClient.clients else {
      throw ValidationError("There are 1 to \(RegisterClient.clients - 1) clients in all.")
    }
    guard (1...64).contains(registers) else { throw ValidationError("--registers is 1 to 64.") }
  }

  func run() async throws {
    let plan = try options.plan(name: lab.name, extent: .withoutServices, isForDemo: true)
    var settings = Chaos.Settings(seed: seed ?? .random(in: 0...UInt64(UInt32.max)), rounds: rounds)
    settings.processes = processes
    settings.clients = clients
    settings.registers = registers
    settings.evidence = evidence
    let chosen = settings
    Console.tell("seed \(chosen.seed)")
    let report = try await Interruptible.run {
      try await Chaos(plan: plan, settings: chosen) { Console.tell($0) }.run()
    }
    switch format {
    case .table: Console.write(report.text)
    case .json: try Console.write(json: report)
    }
    if !report.passed { throw ExitCode.failure }
  }
}
