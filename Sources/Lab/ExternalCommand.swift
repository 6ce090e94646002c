import Subprocess

/// What an external command left behind.
public struct CommandResult: Hashable, Sendable {
  /// The exit status; 128 and the signal's number if one ended it, as shells say it.
  public var status: Int32
  /// Its standard output.
  public var output: String
  /// Its standard error.
  public var errors: String

  /// Whether the exit status is 0.
  public var succeeded: Bool { status == 0 }
}

/// A program that the lab runs and waits for.
public struct ExternalCommand: Hashable, Sendable {
  /// The program and its arguments; the program is looked for in PATH.
  public var words: [String]
  /// What it reads from standard input.
  public var input: String
  /// After this many seconds it is ended.
  public var seconds: Int

  /// Describes a command.
  public init(_ words: [String], input: String = "", seconds: Int = 60) {
    self.words = words
    self.input = input
    self.seconds = seconds
  }

  /// The same command inside a network namespace; the corresponding call is `ip netns exec`.
  public func inside(_ namespace: String) -> ExternalCommand {
    var command = self
    command.words = ["ip", "netns", "exec", namespace] + words
    return command
  }

  /// Runs it to its end, whatever its status.
  public func run() async throws(LabError) -> CommandResult {
    let bounded = ["timeout", "-k", "1", String(seconds)] + words
    do {
      let limit = Limits.commandOutputBytes
      let result = try await Subprocess.run(
        .name(bounded[0]), arguments: Arguments(Array(bounded.dropFirst())), input: .string(input),
        output: .string(limit: limit), error: .string(limit: limit))
      let status: Int32 =
        switch result.terminationStatus {
        case .exited(let code): Int32(code)
        case .signaled(let signal): 128 + Int32(signal)
        }
      return CommandResult(
        status: status, output: result.standardOutput, errors: result.standardError)
    } catch {
      throw LabError(.command, "`\(words.joined(separator: " "))` could not be run: \(error).")
    }
  }

  /// Runs it and wants status 0; returns what it wrote to standard output.
  @discardableResult
  public func check() async throws(LabError) -> String {
    let result = try await run()
    if result.succeeded { return result.output }
    let said = (result.errors.isEmpty ? result.output : result.errors).split(separator: "\n")
    let why =
      result.status == 124
      ? "was ended after \(seconds) s" : "failed with status \(result.status)"
    let tail = said.suffix(3).joined(separator: "; ")
    let suffix = tail.isEmpty ? "." : ": \(tail)"
    throw LabError(.command, "`\(words.joined(separator: " "))` \(why)\(suffix)")
  }
}
