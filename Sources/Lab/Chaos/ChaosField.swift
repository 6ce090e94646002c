import Control
import Glibc
import Wire

/// The managers of a lab as faults reach them: what is done is undone, however faults overlap.
struct ChaosField {
  /// When the leader was killed.
  struct LeaderKill {
    let at: UInt64
    /// Nothing else was wrong in this round.
    let isSolitary: Bool
  }

  private(set) var lab: Lab
  private(set) var kills: [LeaderKill] = []
  /// How often each sort of fault was done.
  private(set) var counts: [String: Int] = [:]
  private let managers: [Topology.Machine]
  private let sightings: String
  private var cuts: [Int: (cut: ChaosFault.Cut, leader: Int)] = [:]
  private var stopped: [Int: [RecordedProcess]] = [:]
  private var dead: [Int: [String]] = [:]
  /// The rules that each manager's namespace holds.
  private var rules: [String]

  /// Takes a lab that stands; `sightings` is where a client notes who leads.
  init(_ lab: Lab, sightings: String) {
    self.lab = lab
    self.sightings = sightings
    managers = lab.topology.machines(with: .manager)
    rules = managers.map { _ in NetworkCut.heal }
  }

  /// Does and undoes a round's faults at their times; returns after its rest.
  mutating func play(_ round: ChaosPlan.Round) async throws(LabError) {
    let began = ContinuousClock.now
    for act in round.acts {
      try await pause(until: began + .milliseconds(act.at))
      if act.isEnd {
        try await undo(act.event)
      } else {
        let fault = round.events[act.event].fault
        try await begin(fault, act.event, isSolitary: round.events.count == 1)
      }
    }
    try await pause(until: .now + .milliseconds(round.rest))
  }

  /// When it is interrupted, the lab goes, and all faults with it.
  private func pause(until end: ContinuousClock.Instant) async throws(LabError) {
    do {
      try await Task.sleep(until: end)
    } catch {
      throw LabError(.command, "Interrupted.")
    }
  }

  /// Undoes whatever is still done.
  mutating func heal() async throws(LabError) {
    for index in Set(cuts.keys).union(stopped.keys).union(dead.keys).sorted() { try await undo(index) }
  }

  /// The nodes whose agent has ended though nobody killed it; they are started again.
  mutating func deserters() async throws(LabError) -> [String] {
    let gone = lab.topology.machines.map(\.node.name).filter { lab.agent(of: $0)?.isRunning != true }
    for node in gone { try await lab.start(node) }
    return gone
  }

  /// The place of the manager that leads, as it was seen within the last second; nil: nobody knows.
  func leader() -> Int? {
    let tail = Limits.sightingTailBytes
    let seen = (try? JSONLines.read(ManagerSighting.self, from: sightings, tail: tail)) ?? []
    let earliest = MonotonicTime.now - Limits.sightingNanoseconds
    guard let node = seen.leader(since: earliest) else { return nil }
    return managers.firstIndex { $0.node.name == node }
  }

  // MARK: Faults

  private mutating func begin(
    _ fault: ChaosFault, _ index: Int, isSolitary: Bool
  ) async throws(LabError) {
    counts[fault.name, default: 0] += 1
    let leader = leader()
    switch fault {
    case .kill(let targets):
      let nodes = places(targets, leader).map { managers[$0].node.name }
      let isOfLeader = leader.map { nodes.contains(managers[$0].node.name) } ?? false
      let now = MonotonicTime.now
      for node in nodes { lab.agent(of: node)?.signal(SIGKILL) }
      dead[index] = nodes
      if isOfLeader { kills.append(LeaderKill(at: now, isSolitary: isSolitary && nodes.count == 1)) }
    case .stop(let targets):
      let agents = places(targets, leader).compactMap { lab.agent(of: managers[$0].node.name) }
      for agent in agents { agent.signal(SIGSTOP) }
      stopped[index] = agents
    case .cut(let cut):
      cuts[index] = (cut, leader ?? 0)
      try await enforce()
    }
  }

  private mutating func undo(_ index: Int) async throws(LabError) {
    for agent in stopped.removeValue(forKey: index) ?? [] { agent.signal(SIGCONT) }
    if cuts.removeValue(forKey: index) != nil { try await enforce() }
    for node in dead.removeValue(forKey: index) ?? [] {
      // Another fault of the round may have started it again, or killed it for longer.
      if dead.values.contains(where: { $0.contains(node) }) { continue }
      guard let agent = lab.agent(of: node) else { continue }
      agent.signal(SIGKILL)
      guard await Patience.wait(upTo: Limits.killMilliseconds, until: { !agent.isRunning }) else {
        throw LabError(.timeout, "The agent of \(node), process \(agent.pid), does not end when killed.")
      }
      try await lab.start(node)
    }
  }

  private func places(_ targets: [ChaosFault.Target], _ leader: Int?) -> [Int] {
    let places = targets.map { target in
      switch target {
      case .leader: leader ?? 0
      case .manager(let index): index
      }
    }
    return Array(Set(places)).sorted()
  }

  /// Brings the rules of all namespaces to what the cuts together demand.
  private mutating func enforce() async throws(LabError) {
    for place in managers.indices {
      let wanted = rules(at: place)
      guard wanted != rules[place] else { continue }
      let namespace = try lab.namespace(of: managers[place].node.name)
      try await ExternalCommand(["nft", "-f", "-"], input: wanted).inside(namespace).check()
      rules[place] = wanted
    }
  }

  private func rules(at place: Int) -> String {
    var sources: Set<Int> = []
    for (cut, leader) in cuts.values {
      let silences = ChaosFault.silences(of: cut, managers: managers.count, leader: leader)
      for silence in silences where silence.to.contains(place) { sources.formUnion(silence.from) }
      if case .gone(let target) = cut, places([target], leader) == [place] {
        return NetworkCut.totalDeafness
      }
    }
    return NetworkCut.deafness(to: sources.sorted().map { managers[$0].node.address })
  }
}
