internal import Control
internal import Foundation
internal import Logging
internal import Management
internal import Manifest
internal import ServiceLifecycle
internal import Storage
internal import Transport

/// The role manager: the journal, the state machine over it, and the API before both.
struct ManagerRole: ServiceLifecycle.Service {
  private let journal: Journal
  private let listen: ManagerAddress
  private let security: TransportSecurity
  private let logger: Logger

  /// Opens the journal; what was acknowledged before is there.
  init(_ settings: ManagerConfiguration, _ agent: AgentConfiguration, logger: Logger) throws {
    let directory = agent.dataDirectory
    do {
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    } catch {
      throw AgentError.manager("cannot create \(directory) for the manager's journal: \(error)")
    }
    do throws(JournalError) {
      journal = try Journal(path: directory + "/manager.sqlite")
    } catch {
      throw AgentError.manager("\(error)")
    }
    listen = settings.listen
    self.logger = logger
    security = TransportSecurity(agent.security)
  }

  func run() async throws {
    let replica = try await ManagerReplica(log: journal, logger: logger)
    do {
      let server = try ManagementServer(
        service: replica, listen: listen, security: security, logger: logger)
      try await cancelWhenGracefulShutdown { try await server.run() }
    } catch let error as ManagementServerError {
      throw AgentError.manager(error.description)
    }
    await replica.stop()
    try journal.close()
  }
}
