internal import Control
internal import Logging
internal import Manifest
internal import ServiceLifecycle
internal import Transport

/// The node's stream to its manager: updates go to the data paths, what they say goes back.
///
/// Without a manager the data paths go on with what they were told last, also after a restart, since the last
/// state lies on disk.
struct NodeLink: Service {
  private let session: ManagerSession
  private let paths: [any DataPath]
  private let health: HealthBoard?
  private let file: NodeStateFile
  private let node: String
  private let roles: [Role]
  private let logger: Logger

  init(
    _ configuration: AgentConfiguration, paths: [any DataPath], health: HealthBoard?, logger: Logger
  ) {
    self.paths = paths
    self.health = health
    self.logger = logger
    node = configuration.node
    roles = configuration.roles
    file = NodeStateFile(directory: configuration.dataDirectory)
    session = ManagerSession(managers: configuration.managers, logger: logger)
  }

  func run() async throws {
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await session.run() }
        group.addTask { await follow() }
        group.addTask { await reportHealth() }
        group.addTask { await reportStatistics() }
        await group.waitForAll()
      }
    }
    for path in paths { await path.drain() }
  }

  /// Carries out what the manager orders, one update after the other.
  private func follow() async {
    var state = file.load(logger: logger) ?? NodeState()
    if state.revision > Revision(0) {
      logger.notice("going on with the last state", metadata: ["revision": "\(state.revision.number)"])
      for path in paths { await path.adopt(state) }
    }
    session.introduce(hello(of: state))
    for await event in session.events {
      switch event {
      case .connected(let manager):
        logger.info("connected", metadata: ["manager": "\(manager)"])
        health?.repeatAll()
      case .disconnected(let reason):
        logger.warning("no manager; forwarding goes on", metadata: ["reason": "\(reason)"])
      case .update(let update):
        await carryOut(update, &state)
        session.introduce(hello(of: state))
      }
    }
  }

  private func carryOut(_ update: Update, _ state: inout NodeState) async {
    switch state.apply(update) {
    case .applied:
      if !update.commands.isEmpty || update.isSnapshot {
        for path in paths { await path.adopt(state) }
      }
      file.save(state, logger: logger)
      session.send(.acknowledged(state.revision, state.epoch))
    case .refused(let highest):
      logger.warning(
        "refused an order of an older epoch",
        metadata: ["epoch": "\(update.epoch.number)", "highest": "\(highest.number)"])
      session.send(.refused(update.revision, highest: highest))
    case .outOfOrder(let present):
      logger.warning(
        "an update does not follow the present revision; asking for a snapshot",
        metadata: ["update": "\(update.revision.number)", "present": "\(present.number)"])
      session.reconnect()
    }
  }

  private func hello(of state: NodeState) -> Hello {
    Hello(node: node, roles: roles, epoch: state.epoch, revision: state.revision)
  }

  private func reportHealth() async {
    guard let health else { return }
    for await changes in health.changes { session.send(.health(changes)) }
  }

  private func reportStatistics() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      var all = NodeStatistics(bgp: [], counters: [], problems: [])
      for path in paths {
        await path.repair()
        let part = await path.statistics()
        all.bgp += part.bgp
        all.counters += part.counters
        all.problems += part.problems
      }
      session.send(.statistics(all))
    }
  }
}
