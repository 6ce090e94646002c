import Control

/// An agent in a simulation: it carries updates out, and reports what becomes of its VMs.
struct AgentModel {
  let name: String
  private(set) var session: SessionID?
  private(set) var node = NodeModel()
  private(set) var revision = Revision(0)
  private(set) var epoch = Epoch(0)
  /// How each probed backend is, and was reported to be.
  private(set) var health: [NodeModel.Placement: Bool] = [:]
  /// On their way to the agent and to the manager.
  var inbox: [Update] = []
  var outbox: [Report] = []

  init(name: String) { self.name = name }

  var hello: Hello { Hello(node: name, roles: Role.allCases, epoch: epoch, revision: revision) }

  mutating func connect(_ session: SessionID) {
    self.session = session
    inbox = []
    outbox =
      health.isEmpty ? [] : [report(health.keys.sorted { ($0.locator, $0.key) < ($1.locator, $1.key) })]
  }

  mutating func disconnect() {
    session = nil
    inbox = []
    outbox = []
  }

  /// The process ends and starts again.
  mutating func crash() { self = AgentModel(name: name) }

  mutating func carryOut(_ update: Update, _ generator: inout SeededGenerator) {
    node.take(update)
    revision = update.revision
    epoch = update.epoch
    outbox.append(.acknowledged(revision, epoch))
    let begun = node.begun.sorted { ($0.locator, $0.key) < ($1.locator, $1.key) }
    node.begun = []
    for placement in begun { health[placement] = generator.chance(70) }
    let probed = Set(node.probed)
    health = health.filter { probed.contains($0.key) }
    // All that is known again after a snapshot: what was deleted and made again before it came would stay unknown.
    let news = update.isSnapshot ? health.keys.sorted { ($0.locator, $0.key) < ($1.locator, $1.key) } : begun
    if !news.isEmpty { outbox.append(report(news)) }
  }

  /// One of its VMs gets well or ill.
  mutating func flip(_ generator: inout SeededGenerator) {
    let placements = node.probed
    guard !placements.isEmpty, session != nil else { return }
    let placement = placements[generator.below(placements.count)]
    health[placement]?.toggle()
    outbox.append(report([placement]))
  }

  private func report(_ placements: [NodeModel.Placement]) -> Report {
    .health(
      placements.map { placement in
        let isHealthy = health[placement] ?? false
        return HealthChange(
          locator: placement.locator, key: placement.key, isHealthy: isHealthy,
          reason: isHealthy ? "accepted" : "refused")
      })
  }
}
