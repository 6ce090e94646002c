internal import Control
internal import Logging
internal import Management
internal import Manifest
internal import ServiceLifecycle
internal import Transport

/// The role manager: the journal, the state machine over it, and the API before both.
struct ManagerRole: Service {
  private let node: ManagementNode
  private let server: ManagementServer

  /// Opens the journal; what was acknowledged before is there.
  init(_ settings: ManagerConfiguration, _ agent: AgentConfiguration, logger: Logger) throws {
    do {
      node = try ManagementNode(
        journal: agent.dataDirectory + "/manager.sqlite", replica: agent.node, logger: logger)
    } catch {
      throw AgentError.journal("\(error)")
    }
    server = ManagementServer(service: node, listen: settings.listen, logger: logger)
  }

  func run() async throws {
    try await cancelWhenGracefulShutdown { try await server.run() }
  }
}
