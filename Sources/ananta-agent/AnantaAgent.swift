internal import ArgumentParser
internal import Foundation
internal import Logging
internal import Manifest
internal import ServiceLifecycle

/// The one program of a node: host agent, multiplexer and manager, as its configuration says.
@main
struct AnantaAgent: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ananta-agent",
    abstract: "Runs this node's roles: host, mux, manager.",
    discussion: "SIGTERM withdraws the VIPs of a MUX, forwards what is still on its way, and ends.")

  @Option(name: .long, help: "The agent's configuration (docs/configuration.md).")
  var config: String

  @Option(name: .long, help: "trace, debug, info, notice, warning, error or critical.")
  var logLevel = LogLevel.info

  @Flag(name: .long, help: "Read the configuration, say whether it is right, and end.")
  var check = false

  func run() async throws {
    let configuration: AgentConfiguration
    do {
      guard let data = FileManager.default.contents(atPath: config) else {
        throw AgentError.platform(
          "\(config): there is no such file, or it may not be read; name another with --config")
      }
      configuration = try AgentConfiguration.read(String(decoding: data, as: UTF8.self), file: config)
    } catch {
      StandardError.write("\(error)\n")
      throw ExitCode(1)
    }
    guard !check else { return }
    LoggingSystem.bootstrap(StreamLogHandler.standardError)
    var logger = Logger(label: "ananta-agent")
    logger.logLevel = logLevel.level
    do {
      try await Agent(configuration, logger: logger).run()
    } catch let error as AgentError {
      StandardError.write("ananta-agent: \(error)\n")
      throw ExitCode(1)
    }
  }
}

/// How much the agent says, in the words of swift-log.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
  case trace, debug, info, notice, warning, error, critical

  var level: Logger.Level {
    switch self {
    case .trace: .trace
    case .debug: .debug
    case .info: .info
    case .notice: .notice
    case .warning: .warning
    case .error: .error
    case .critical: .critical
    }
  }
}
