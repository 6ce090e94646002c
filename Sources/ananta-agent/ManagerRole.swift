internal import Control
internal import Logging
internal import Management
internal import Manifest
internal import Replication
internal import ServiceLifecycle
internal import Storage
internal import Transport

/// The role manager: a replica of the log on its disk, the state machine over it, the API before both, and the links
/// to the other managers.
struct ManagerRole: ServiceLifecycle.Service {
  private let replication: ReplicationSettings
  private let disk: String
  private let links: ReplicaLinks
  private let listen: ManagerAddress
  private let security: TransportSecurity
  /// The node does nothing else; otherwise its data path goes on when the manager cannot.
  private let isAlone: Bool
  private let logger: Logger

  /// Prepares the role; `run` opens the disk.
  init(_ settings: ManagerConfiguration, _ agent: AgentConfiguration, logger: Logger) throws {
    listen = settings.listen
    security = TransportSecurity(agent.security)
    self.logger = logger
    let own = try Self.address(listen, agent)
    links = ReplicaLinks(managers: agent.managers, own: own, security: security, logger: logger)
    replication = ReplicationSettings(node: agent.node, address: own, managers: agent.managers)
    disk = agent.dataDirectory + "/replica.sqlite"
    isAlone = agent.host == nil && agent.mux == nil
  }

  /// Under which of `managers` the others know this one.
  private static func address(_ listen: ManagerAddress, _ agent: AgentConfiguration) throws -> ManagerAddress
  {
    let node = ManagerAddress(host: "\(agent.address)", port: listen.port)
    for candidate in [listen, node] where agent.managers.contains(candidate) { return candidate }
    if let only = agent.managers.first, agent.managers.count == 1 { return only }
    let names = Set([listen, node]).map(\.description).sorted().joined(separator: " or ")
    throw AgentError.manager("\(names) is not among `managers`; correct `managers` or `manager.listen`")
  }

  /// Runs the manager until the agent ends, or the manager cannot go on.
  ///
  /// A damaged disk of the manager is no reason to stop forwarding: on a node with other roles it is said, and the
  /// others go on.
  func run() async throws {
    do {
      try await serve(try open())
    } catch {
      guard !isAlone else { throw error }
      logger.critical(
        "the manager does not run any more; the node's other roles do", metadata: ["why": "\(error)"])
      try? await gracefulShutdown()
    }
  }

  /// Opens the disk and starts the replica; what was acknowledged before is there.
  private func open() throws -> PaxosLog {
    do {
      return try PaxosLog(replication, disk: try StoreDisk(path: disk), network: links, logger: logger)
    } catch {
      throw AgentError.manager("\(error)")
    }
  }

  private func serve(_ log: PaxosLog) async throws {
    let replica = ManagerReplica(log: log, logger: logger)
    do {
      let server = try ManagementServer(
        service: replica, replicas: links, listen: listen, security: security, logger: logger)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await server.run() }
        group.addTask { await links.run() }
        group.addTask { if let reason = await log.ended() { throw AgentError.manager(reason) } }
        group.addTask {
          try await gracefulShutdown()
          // While the links are up, so that leadership can be handed over.
          await replica.stop()
          await log.stop()
        }
        defer { group.cancelAll() }
        try await group.next()
      }
    } catch let error as ManagementServerError {
      await end(replica, log)
      throw AgentError.manager(error.description)
    } catch {
      await end(replica, log)
      throw error
    }
    await end(replica, log)
  }

  private func end(_ replica: ManagerReplica, _ log: PaxosLog) async {
    await replica.stop()
    await log.stop()
  }
}
