import ArgumentParser
import Lab

/// Becomes a command inside a member's namespace.
struct ExecCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec", abstract: "Run a command on a node or in a VM; its exit status is passed on.")
  @OptionGroup var lab: LabOption
  @Argument(help: "The node or VM.") var member: String
  @Argument(parsing: .postTerminator, help: "The command, after --.") var command: [String]

  func run() async throws {
    guard !command.isEmpty else { throw ValidationError("A command is needed: exec \(member) -- COMMAND…") }
    try ProcessImage.replace(with: Lab(named: lab.name).command(in: member, command))
  }
}

/// Becomes `ananta-ctl` against a lab.
struct ControlCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ctl", abstract: "Run ananta-ctl against a lab; its exit status is passed on.")
  @OptionGroup var lab: LabOption
  @Argument(parsing: .postTerminator, help: "Its arguments, after --.") var arguments: [String] = []

  func run() async throws { try ProcessImage.replace(with: Lab(named: lab.name).control(arguments)) }
}

/// Shows what a member's processes had to say.
struct LogsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Show the log of a node's agent, of the router, or of a VM's servers.")
  @OptionGroup var lab: LabOption
  @Argument(help: "The node or VM.") var member: String
  @Flag(name: .shortAndLong, help: "Go on with what is appended.") var follow = false
  @Option(help: "How many lines of each file, from its end.") var lines = 1_000

  func run() async throws {
    let files = try Lab(named: lab.name).logs(of: member)
    guard !files.isEmpty else {
      Console.tell("\(member) has no log.")
      return
    }
    let arguments = ["-n", String(lines)] + (follow ? ["-F"] : []) + files
    try ProcessImage.replace(with: ExternalCommand(["tail"] + arguments))
  }
}
