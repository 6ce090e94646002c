internal import Control
internal import Logging
internal import Manifest
internal import ServiceLifecycle
internal import Synchronization
internal import Transport

/// The node's stream to its manager: updates go to the data paths, what they say goes back.
///
/// Without a manager the data paths go on with what they were told last, also after a restart, since the last
/// state lies on disk.
actor NodeLink: ServiceLifecycle.Service {
  private let link: ManagerLink
  private let paths: [any DataPath]
  private let health: HealthBoard?
  private let file: NodeStateFile
  private let introduction: Introduction
  private let logger: Logger
  private var state = NodeState()
  /// The state is not yet what the data paths run: to be acknowledged when it is.
  private var owesAcknowledgement = false

  /// What a new stream begins with, kept where the link can read it at any time.
  private final class Introduction: Sendable {
    private let hello: Mutex<Hello>

    init(_ hello: Hello) { self.hello = Mutex(hello) }

    var current: Hello { hello.withLock { $0 } }

    /// Orders of an older epoch are refused from now on.
    func obey(_ epoch: Epoch) { hello.withLock { $0.epoch = epoch } }

    /// The data paths run this revision.
    func run(_ revision: Revision) { hello.withLock { $0.revision = revision } }
  }

  init(_ agent: AgentConfiguration, paths: [any DataPath], health: HealthBoard?, logger: Logger) {
    self.paths = paths
    self.health = health
    self.logger = logger
    file = NodeStateFile(directory: agent.dataDirectory)
    let introduction = Introduction(
      Hello(node: agent.node, roles: agent.roles, epoch: .none, revision: Revision(0)))
    self.introduction = introduction
    let security = TransportSecurity(agent.security)
    link = ManagerLink(managers: agent.managers, security: security, logger: logger) { introduction.current }
  }

  func run() async throws {
    await goOn()
    await cancelWhenGracefulShutdown {
      await withTaskGroup(of: Void.self) { group in
        group.addTask { await self.link.run { await self.take($0) } }
        group.addTask { await self.reportHealth() }
        group.addTask { await self.reportStatistics() }
        await group.waitForAll()
      }
    }
    for path in paths { await path.drain() }
  }

  /// Takes up the state of an earlier process, if there is one.
  private func goOn() async {
    guard let last = file.load(logger: logger) else { return }
    state = last
    introduction.obey(last.epoch)
    logger.notice("going on with the last state", metadata: ["revision": "\(last.revision.number)"])
    await adopt()
  }

  /// Has the data paths run the state; the manager is told of it, now or when what is in the way is gone.
  private func adopt() async {
    owesAcknowledgement = false
    for path in paths where await !path.adopt(state) { owesAcknowledgement = true }
    if !owesAcknowledgement { introduction.run(state.revision) }
  }

  private func take(_ event: ManagerLink.Event) async {
    switch event {
    case .connected: health?.repeatAll()
    case .disconnected(let reason):
      logger.warning("no manager; forwarding goes on", metadata: ["reason": "\(reason)"])
    case .update(let update): await carryOut(update)
    }
  }

  private func carryOut(_ update: Update) async {
    switch state.apply(update) {
    case .applied:
      introduction.obey(state.epoch)
      file.save(state, logger: logger)
      if !update.commands.isEmpty || update.isSnapshot { await adopt() }
      if !owesAcknowledgement { acknowledge() }
    case .refused(let highest):
      logger.warning(
        "refused an order of an older epoch",
        metadata: ["epoch": "\(update.epoch)", "highest": "\(highest)"])
      link.report(.refused(update.revision, highest: highest))
    case .outOfOrder(let present):
      logger.warning(
        "an update does not follow the present revision; asking for a snapshot",
        metadata: ["update": "\(update.revision.number)", "present": "\(present.number)"])
      link.reconnect()
    }
  }

  private func acknowledge() {
    introduction.run(state.revision)
    link.report(.acknowledged(state.revision, state.epoch))
  }

  private func reportHealth() async {
    guard let health else { return }
    for await changes in health.changes { link.report(.health(changes)) }
  }

  private func reportStatistics() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      var all = NodeStatistics(bgp: [], counters: [], problems: [])
      let revision = state.revision
      var isRunning = true
      for path in paths {
        if await !path.repair() { isRunning = false }
        let part = await path.statistics()
        all.bgp += part.bgp
        all.counters += part.counters
        all.problems += part.problems
        all.paths += part.paths
      }
      link.report(.statistics(all))
      if owesAcknowledgement, isRunning, revision == state.revision {
        owesAcknowledgement = false
        acknowledge()
      }
    }
  }
}
