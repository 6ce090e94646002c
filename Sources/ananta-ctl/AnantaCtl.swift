import ArgumentParser

/// The operator's tool.
@main
struct AnantaCtl: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ananta-ctl",
    abstract: "Says what an Ananta data centre shall be, and shows what it is.",
    subcommands: [
      Apply.self, Diff.self, Delete.self, Get.self, Describe.self, Events.self, Managers.self,
      SNAT.self,
      PKICommand.self,
      Version.self,
      Completion.self,
    ])
}

/// Prints the version.
struct Version: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Print the version of this tool.")

  func run() throws { Terminal.out("ananta-ctl 0.1.0 (API ananta.v1)\n") }
}

/// Prints a completion script.
struct Completion: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Print a completion script for a shell.",
    discussion: "bash: source <(ananta-ctl completion bash)\nfish: ananta-ctl completion fish | source")

  @Argument(help: "bash, zsh or fish.") var shell: String

  func run() throws {
    guard let shell = CompletionShell(rawValue: shell) else {
      throw ValidationError("there is a completion for bash, zsh and fish, none for \(shell)")
    }
    Terminal.out(AnantaCtl.completionScript(for: shell) + "\n")
  }
}
