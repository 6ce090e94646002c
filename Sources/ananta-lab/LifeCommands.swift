import ArgumentParser
import Lab

/// Builds a lab.
struct UpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up", abstract: "Build a lab and apply its manifests.")
  @OptionGroup var lab: LabOption
  @OptionGroup var options: PlanOptions
  @Flag(name: .customLong("no-services"), help: "Apply nodes, networks and VMs, but no services.")
  var withoutServices = false
  @Flag(name: .customLong("no-manifests"), help: "Start everything, but apply nothing.")
  var withoutManifests = false

  func run() async throws {
    let extent: Extent = withoutManifests ? .nothing : withoutServices ? .withoutServices : .everything
    let plan = try options.plan(name: lab.name, extent: extent)
    let built = try await Interruptible.run {
      try await Lab.up(plan) { Console.tell("  \($0)") }
    }
    Console.write(built.status.table)
  }
}

/// Removes a lab.
struct DownCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "down", abstract: "Remove all traces of a lab, also after a crash.")
  @OptionGroup var lab: LabOption

  func run() async throws {
    if try await !Lab.down(lab.name) { Console.tell("There is no lab \(lab.name).") }
  }
}

/// Shows nodes and VMs.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Show nodes and VMs of a lab.")
  @OptionGroup var lab: LabOption
  @Option(name: [.customShort("o"), .customLong("output")], help: "table or json.")
  var format = OutputFormat.table

  func run() async throws {
    let status = try Lab(named: lab.name).status
    switch format {
    case .table: Console.write(status.table)
    case .json: try Console.write(json: status)
    }
  }
}

/// Starts one agent.
struct StartCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Start the agent of a node.")
  @OptionGroup var lab: LabOption
  @Argument(help: "The node.") var node: String

  func run() async throws {
    var lab = try Lab(named: lab.name)
    try await lab.start(node)
  }
}

/// Ends one agent politely.
struct StopCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "End the agent of a node politely; nothing starts it again.")
  @OptionGroup var lab: LabOption
  @Argument(help: "The node.") var node: String

  func run() async throws { try await Lab(named: lab.name).stop(node) }
}

/// Kills one agent.
struct KillCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kill", abstract: "Kill the agent of a node (kill -9); nothing starts it again.")
  @OptionGroup var lab: LabOption
  @Argument(help: "The node.") var node: String

  func run() async throws { try await Lab(named: lab.name).kill(node) }
}
