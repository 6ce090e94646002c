import Control
import Wire

/// An agent on its node: it carries out what it is told, and says how its VMs are.
///
/// Its ways are the worst that the contract allows (`docs/manager.md`): it listens to every stream it has opened
/// until that ends, so that what an older primary has said arrives, however late.
struct AgentProcess: Sendable {
  /// An endpoint at a VM of this node.
  struct Placement: Hashable, Comparable, Sendable {
    var locator: IPv4Address
    var key: EndpointKey
    static func < (left: Self, right: Self) -> Bool { (left.locator, left.key) < (right.locator, right.key) }
  }

  let name: String
  /// What the node has been told to be; it survives the process.
  private(set) var node = NodeState()
  /// What its data path makes of that.
  private(set) var path = DataPath()
  /// What it does with the ports of its VMs; it survives the process, too.
  private(set) var ports = AgentPorts()
  private(set) var life = 0
  /// Nothing while the process is down.
  var isUp = true
  /// Streams that are open, one to a manager; the newest last.
  private var streams: [(manager: Int, stream: Int, isAccepted: Bool)] = []
  /// When the newest was last heard, or opened.
  private(set) var heard: Moment = 0
  /// Which manager is said to be the primary; tried once.
  var hint: Int?
  /// Whose turn it is otherwise.
  private var turn = 0
  /// How each probed VM is.
  private(set) var health: [Placement: Bool] = [:]
  /// Until then it carries nothing out.
  var deafUntil: Moment = 0
  /// What it was told meanwhile.
  private var unheard: [(stream: Int, update: Update)] = []

  init(name: String) { self.name = name }

  /// Every agent could play every role, so that nodes may change theirs.
  var hello: Hello {
    Hello(node: name, roles: Role.allCases, epoch: node.epoch, revision: node.revision)
  }

  /// The stream to the manager that it takes for the primary.
  var current: Int? { streams.last?.stream }
  /// The newest stream has been accepted.
  var isAccepted: Bool { streams.last?.isAccepted ?? false }

  mutating func crash() {
    life += 1
    isUp = false
    streams = []
    health = [:]
    deafUntil = 0
    unheard = []
  }

  // MARK: Streams

  /// Where to look for the primary: where it is said to be, or at one after the other.
  mutating func nextManager(of count: Int) -> Int {
    if let hint = hint.take() { return hint }
    turn = (turn + 1) % count
    return turn
  }

  mutating func open(_ stream: Int, to manager: Int, at time: Moment) {
    streams.removeAll { $0.manager == manager }
    streams.append((manager, stream, false))
    heard = time
  }

  func listens(to stream: Int) -> Bool { streams.contains { $0.stream == stream } }

  mutating func heard(_ stream: Int, at time: Moment) {
    if stream == current { heard = time }
  }

  /// A stream was accepted; reports may be sent over it.
  mutating func accepted(_ stream: Int) {
    guard let index = streams.firstIndex(where: { $0.stream == stream }) else { return }
    streams[index].isAccepted = true
  }

  /// A stream is over; if it was the newest, it is time for another.
  mutating func ended(_ stream: Int) {
    if stream == current { heard = -Limits.silence }
    streams.removeAll { $0.stream == stream }
  }

  // MARK: Updates

  /// Leaves an update for later, if it carries nothing out now.
  mutating func puts(off update: Update, on stream: Int, at time: Moment) -> Bool {
    guard time < deafUntil || !unheard.isEmpty else { return false }
    unheard.append((stream, update))
    return true
  }

  /// What it was told while it carried nothing out, when that is over.
  mutating func hear(at time: Moment) -> [(stream: Int, update: Update)] {
    guard time >= deafUntil else { return [] }
    defer { unheard = [] }
    return unheard.filter { listens(to: $0.stream) }
  }

  /// Carries an update out, and says so; after a snapshot all that is known of health is said again.
  mutating func take(_ update: Update, _ chance: inout Chance, bug: Bug?) -> (NodeState.Result, [Report]) {
    var update = update
    if bug == .stalePrimaryNotFenced { update.epoch = max(update.epoch, node.epoch) }
    let old = probes
    let result = node.apply(update)
    switch result {
    case .applied:
      ports.follow(update, node)
      let begun = begunProbes(update, old: old)
      for placement in begun { health[placement] = chance.happens(perThousand: 700) }
      let present = Set(probes.keys)
      health = health.filter { present.contains($0.key) }
      let acknowledgement = Report.acknowledged(update.revision, update.epoch)
      let news = update.isSnapshot ? health.keys.sorted() : begun
      return (result, news.isEmpty ? [acknowledgement] : [acknowledgement, report(news)])
    case .refused(let highest): return (result, [.refused(update.revision, highest: highest)])
    case .outOfOrder: return (result, [])
    }
  }

  /// What its VMs have done with.
  mutating func giveBack(_ chance: inout Chance, isQuiet: Bool) -> [PortLease] {
    ports.giveBack(node, &chance, isQuiet: isQuiet)
  }

  /// What its VMs may use.
  func usablePorts(_ bug: Bug?) -> [PortLease] { ports.usable(node, bug) }

  /// One of its VMs gets well, or ill.
  mutating func changeHealth(_ chance: inout Chance) -> Report? {
    guard isAccepted, let placement = chance.pick(health.keys.sorted()) else { return nil }
    health[placement]?.toggle()
    return report([placement])
  }

  private func report(_ placements: [Placement]) -> Report {
    .health(
      placements.map { placement in
        let isHealthy = health[placement] ?? false
        return HealthChange(
          locator: placement.locator, key: placement.key, isHealthy: isHealthy,
          reason: isHealthy ? "accepted" : "refused")
      })
  }

  /// Lets the data path follow.
  mutating func follow(at time: Moment) throws(Finding) { try path.follow(node, at: time) }

  // MARK: Probes

  /// What is asked, of whom.
  private struct Question: Hashable {
    var machine: String
    var method: Probe.Method
    var port: UInt16
  }

  private var probes: [Placement: Question] {
    var probes: [Placement: Question] = [:]
    for (locator, endpoints) in node.hostEndpoints {
      for (key, endpoint) in endpoints {
        guard let probe = endpoint.probe, let machine = node.machines[locator] else { continue }
        probes[Placement(locator: locator, key: key)] = Question(
          machine: machine.name, method: probe.method, port: probe.port)
      }
    }
    return probes
  }

  /// Probes that begin anew: other questions than before, and those whose VM or endpoint was gone in between.
  private func begunProbes(_ update: Update, old: [Placement: Question]) -> [Placement] {
    var vacated: Set<IPv4Address> = []
    var changed: Set<Placement> = []
    for command in update.commands {
      switch command {
      case .removeMachine(let locator): vacated.insert(locator)
      case .removeHostEndpoint(let locator, let key): changed.insert(Placement(locator: locator, key: key))
      case .setHostEndpoint(let endpoint):
        let placement = Placement(locator: endpoint.locator, key: endpoint.key)
        let former = old[placement]
        if former?.method != endpoint.probe?.method || former?.port != endpoint.probe?.port {
          changed.insert(placement)
        }
      default: break
      }
    }
    return probes.filter { placement, question in
      old[placement] != question || vacated.contains(placement.locator) || changed.contains(placement)
        || health[placement] == nil
    }.keys.sorted()
  }
}
