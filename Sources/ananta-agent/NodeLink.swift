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
  private let ports: PortBoard?
  private var file: NodeStateFile
  private let introduction: Introduction
  private let logger: Logger
  private var kept = KeptState()
  /// The state is not yet what the data paths run: to be acknowledged when it is.
  private var owesAcknowledgement = false
  /// Updates that have come, and how many of them the data paths have been given; revisions come more than once.
  private var updates: UInt64 = 0
  private var updatesGiven: UInt64 = 0

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

  init(
    _ agent: AgentConfiguration, paths: [any DataPath], health: HealthBoard?, ports: PortBoard?,
    logger: Logger
  ) {
    self.paths = paths
    self.health = health
    self.ports = ports
    self.logger = logger
    file = NodeStateFile(directory: agent.dataDirectory, logger: logger)
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
        group.addTask { await self.reportPorts() }
        group.addTask { await self.repeatReturns() }
        group.addTask { await self.reportStatistics() }
        await group.waitForAll()
      }
    }
    for path in paths { await path.drain() }
  }

  /// Takes up the state of an earlier process, if there is one.
  private func goOn() async {
    guard let last = file.load() else { return }
    kept = last
    introduction.obey(last.state.epoch)
    logger.notice("going on with the last state", metadata: ["revision": "\(last.state.revision.number)"])
    await adopt()
  }

  /// Has the data paths run the state; the manager is told of it, now or when what is in the way is gone.
  private func adopt() async {
    var isRunning = true
    for path in paths where await !path.adopt(kept) { isRunning = false }
    settle(isRunning)
    if !owesAcknowledgement { introduction.run(kept.state.revision) }
  }

  /// Has the data paths take what an update says of ports, step by step: a range that was ended and leased again is
  /// another than before, which nobody could tell from what it has led to.
  private func changePorts(_ update: Update) async {
    let commands = update.isSnapshot ? [] : update.commands.filter(\.isOfPorts)
    guard !commands.isEmpty else { return }
    for path in paths { _ = await path.change(commands, in: kept) }
  }

  /// The same where only ports have changed, and nothing else is owed.
  private func change(_ commands: [Command]) async {
    var isRunning = true
    if !commands.isEmpty {
      for path in paths where await !path.change(commands, in: kept) { isRunning = false }
    }
    settle(isRunning)
  }

  /// All data paths have been given the last update.
  private func settle(_ isRunning: Bool) {
    updatesGiven = updates
    owesAcknowledgement = !isRunning || file.fault != nil
  }

  private func take(_ event: ManagerLink.Event) async {
    switch event {
    case .connected:
      health?.repeatAll()
      report(returns: kept.returned)
      for path in paths { await path.askAgain() }
    case .portRefusal(let refusal): for path in paths { await path.refuse(refusal) }
    case .disconnected(let reason):
      logger.warning("no manager; forwarding goes on", metadata: ["reason": "\(reason)"])
    case .update(let update): await carryOut(update)
    }
  }

  private func carryOut(_ update: Update) async {
    let isOfNewEpoch = update.epoch > kept.state.epoch
    let returned = kept.returned.count
    switch kept.apply(update) {
    case .applied:
      updates += 1
      if kept.returned.count != returned { ports?.keep(kept.returned) }
      introduction.obey(kept.state.epoch)
      // Before anything goes by it: what a restart would not know must not be acknowledged. Who forgot an epoch
      // would obey a primary that has been deposed.
      file.append(
        .update(update), leadingTo: kept, isDurable: isOfNewEpoch || !update.mayBeForgotten)
      if update.isOfPorts, !owesAcknowledgement {
        await change(update.commands)
      } else {
        await changePorts(update)
        await adopt()
      }
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
    introduction.run(kept.state.revision)
    link.report(.acknowledged(kept.state.revision, kept.state.epoch))
  }

  private func reportHealth() async {
    guard let health else { return }
    for await changes in health.changes { link.report(.health(changes)) }
  }

  private func reportPorts() async {
    guard let ports else { return }
    for await _ in ports.signals {
      let (requests, returned) = ports.take()
      for request in requests { link.report(.portRequest(request)) }
      let news = kept.giveBack(returned)
      // The manager has ended some of them meanwhile.
      if !kept.returned.isSuperset(of: returned) { ports.keep(kept.returned) }
      guard !news.isEmpty else { continue }
      file.append(.portsReturned(news), leadingTo: kept, isDurable: true)
      report(returns: news)
    }
  }

  /// Says what the host has given back, once it lies on the disk: who has it next must never meet us.
  private func report(returns leases: some Collection<PortLease>) {
    guard file.fault == nil, !leases.isEmpty else { return }
    link.report(.portsReturned(leases.sorted()))
  }

  /// Until the manager has ended what was given back.
  private func repeatReturns() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(5))
      report(returns: kept.returned)
    }
  }

  private func reportStatistics() async {
    while !Task.isCancelled {
      try? await Task.sleep(for: .seconds(1))
      file.tidy(kept)
      var all = NodeStatistics(bgp: [], counters: [], problems: file.fault.map { [$0] } ?? [])
      let update = updatesGiven
      var isRunning = true
      for path in paths {
        if await !path.repair() { isRunning = false }
        let part = await path.statistics()
        all.bgp += part.bgp
        all.counters += part.counters
        all.problems += part.problems
        all.paths += part.paths
        all.ports += part.ports
      }
      link.report(.statistics(all))
      // None has come meanwhile, and none is on its way to the data paths.
      if owesAcknowledgement, isRunning, file.fault == nil, update == updates {
        owesAcknowledgement = false
        acknowledge()
      }
    }
  }
}
