import Control
import Manager
import Testing

/// A manager, its log and its agents in one thread, driven by one seed.
struct Simulation {
  let seed: UInt64
  private var world: RandomWorld
  private(set) var manager = Manager(ManagerState())
  private(set) var agents: [AgentModel]
  /// Given to the log and not durable yet.
  private var unwritten: [Entry] = []
  /// The state at each revision, made by another instance than the manager's.
  private var reference = [ManagerState()]
  private var epoch: UInt64 = 1
  private var lastID: UInt64 = 0
  private var clock: UInt64 = 0
  private var requests: Set<RequestID> = []
  private var waits: [RequestID: WaitProgress?] = [:]
  /// How much has happened.
  private(set) var updates = 0
  private(set) var accepted = 0
  private(set) var restarts = 0

  init(seed: UInt64) {
    self.seed = seed
    world = RandomWorld(seed: seed)
    agents = RandomWorld.nodeNames.map(AgentModel.init)
    feed(.becamePrimary(Epoch(1)))
    request(world.foundation())
  }

  private mutating func nextID() -> UInt64 {
    lastID += 1
    return lastID
  }

  // MARK: Steps

  mutating func step() {
    switch world.generator.below(100) {
    case 0..<22: request(world.operation())
    case 22..<40: commit(atMost: world.generator.below(4) + 1)
    case 40..<42: loseLead()
    case 42..<43: restart()
    case 43..<47: wait()
    case 47..<50: tick()
    default: move(world.generator.below(agents.count))
    }
  }

  private mutating func request(_ operation: Control.Operation) {
    let id = RequestID(nextID())
    requests.insert(id)
    feed(.request(id, operation, dryRun: world.generator.chance(10), by: Author(name: "test", at: clock)))
  }

  private mutating func commit(atMost count: Int) {
    let batch = unwritten.prefix(count)
    unwritten.removeFirst(batch.count)
    guard var state = reference.last, !batch.isEmpty else { return }
    var committed: [CommittedEntry] = []
    for entry in batch {
      let revision = Revision(state.revision.number + 1)
      _ = state.apply(entry, at: revision)
      reference.append(state)
      committed.append(CommittedEntry(revision: revision, entry: entry))
    }
    feed(.committed(committed))
    #expect(manager.state == state, "seed \(seed)")
  }

  /// Another replica leads for a moment; what was under way is lost, or was chosen and comes after all.
  private mutating func loseLead() {
    let late = world.generator.chance(50) ? unwritten : []
    unwritten = []
    feed(.lostPrimary(address: nil))
    unwritten = late
    commit(atMost: late.count)
    epoch += 1
    feed(.becamePrimary(Epoch(epoch)))
  }

  /// The manager's process is killed and started again; only what is durable remains.
  private mutating func restart() {
    restarts += 1
    epoch += 1
    unwritten = []
    requests = []
    waits = [:]
    for index in agents.indices { agents[index].disconnect() }
    manager = Manager(ManagerState(ManagerSnapshot(manager.state)))
    feed(.becamePrimary(Epoch(epoch)))
  }

  private mutating func wait() {
    let id = RequestID(nextID())
    waits[id] = .some(nil)
    feed(.wait(id, Revision(UInt64(world.generator.below(reference.count)))))
  }

  private mutating func tick() {
    clock += 1000
    feed(.tick(milliseconds: clock, wallMilliseconds: clock * 1000))
  }

  private mutating func move(_ index: Int) {
    guard agents[index].session != nil else { return connect(index) }
    switch world.generator.below(20) {
    case 0: disconnect(index)
    case 1:
      disconnect(index)
      agents[index].crash()
    case 2..<5: agents[index].flip(&world.generator)
    case 5..<12: deliver(to: index)
    default: report(from: index)
    }
  }

  private mutating func connect(_ index: Int) {
    feed(.connected(agents[index].hello, SessionID(nextID())))
  }

  private mutating func disconnect(_ index: Int) {
    guard let session = agents[index].session else { return }
    agents[index].disconnect()
    feed(.disconnected(session))
  }

  private mutating func deliver(to index: Int) {
    guard !agents[index].inbox.isEmpty else { return }
    let update = agents[index].inbox.removeFirst()
    #expect(update.epoch >= agents[index].epoch, "seed \(seed): fenced")
    agents[index].carryOut(update, &world.generator)
    updates += 1
    let name = agents[index].name
    let state = reference[Int(update.revision.number)]
    #expect(
      agents[index].node.withoutLeases == NodeModel(state.snapshot(for: name)).withoutLeases,
      "seed \(seed): \(name) at \(update.revision)")
  }

  private mutating func report(from index: Int) {
    guard let session = agents[index].session, !agents[index].outbox.isEmpty else { return }
    feed(.report(agents[index].outbox.removeFirst(), session))
  }

  // MARK: Outputs

  private mutating func feed(_ input: Input) {
    let outputs = manager.handle(input)
    for output in outputs { take(output, of: input) }
  }

  private mutating func take(_ output: Output, of input: Input) {
    switch output {
    case .append(let entry): unwritten.append(entry)
    case .reply(let id, let outcome):
      #expect(requests.remove(id) != nil, "seed \(seed): answered twice")
      #expect(outcome.errors.isEmpty || outcome.changes.isEmpty)
      if outcome.errors.isEmpty { accepted += 1 }
    case .fail(let id, _):
      let wasAsked = requests.remove(id) != nil || waits.removeValue(forKey: id) != nil
      #expect(wasAsked, "seed \(seed): answered twice")
    case .draw: feed(.drawn(low: UInt64(world.generator.below(1 << 30)), high: seed))
    case .accept(let session):
      guard case .connected(let hello, _) = input else { return }
      if let index = agents.firstIndex(where: { $0.name == hello.node }) { agents[index].connect(session) }
    case .send(let update, let session):
      guard let index = agents.firstIndex(where: { $0.session == session }) else {
        Issue.record("seed \(seed): sent to a stream that is closed")
        return
      }
      agents[index].inbox.append(update)
    case .close(let session, _):
      guard let index = agents.firstIndex(where: { $0.session == session }) else { return }
      if world.generator.chance(50) { while !agents[index].inbox.isEmpty { deliver(to: index) } }
      agents[index].disconnect()
    case .progress(let id, let progress): waits[id] = progress
    case .endWait(let id):
      #expect(waits[id]??.pending == [], "seed \(seed): ended too early")
      waits[id] = nil
    case .refuse, .refusePorts, .recalled, .event: break
    }
  }

  // MARK: The end

  /// All faults end; afterwards everybody must agree.
  mutating func settle() {
    for round in 0..<200 {
      for index in agents.indices where agents[index].session == nil { connect(index) }
      commit(atMost: unwritten.count)
      tick()
      for index in agents.indices {
        while !agents[index].inbox.isEmpty { deliver(to: index) }
        while !agents[index].outbox.isEmpty { report(from: index) }
      }
      let areQuiet = agents.allSatisfy { agent in
        agent.inbox.isEmpty && agent.outbox.isEmpty
          && (agent.session != nil || manager.state.desired.nodes[agent.name] == nil)
      }
      // Hosts wait some seconds for MUXes that a new primary does not hear of.
      if round > 8, unwritten.isEmpty, areQuiet { break }
    }
    check()
  }

  private func check() {
    let state = manager.state
    #expect(requests.isEmpty, "seed \(seed): \(requests.count) requests are unanswered")
    #expect(waits.isEmpty, "seed \(seed): \(waits.count) waits are unended")
    let listed = manager.clusterState()
    let hasMux = state.desired.nodes.values.contains { $0.roles.contains(.mux) }
    #expect(listed.nodes.map(\.node.name) == state.desired.nodes.keys.sorted())
    for agent in agents where state.desired.nodes[agent.name] != nil {
      #expect(agent.revision == state.revision, "seed \(seed): \(agent.name)")
      let whole = NodeModel(state.snapshot(for: agent.name))
      // Without a MUX no lease is ripe.
      let isWhole =
        hasMux ? agent.node == whole : agent.node.withoutLeases == whole.withoutLeases
      #expect(isWhole, "seed \(seed): \(agent.name)")
      let status = listed.nodes.first { $0.node.name == agent.name }
      #expect(
        status?.isConnected == true && status?.revision == state.revision, "seed \(seed): \(agent.name)")
      for placement in agent.node.probed {
        let machine = agent.node.machines[placement.locator]?.name ?? ""
        let known = state.health[BackendKey(machine: machine, endpoint: placement.key)]
        #expect(known?.isHealthy == agent.health[placement], "seed \(seed): \(machine) \(placement.key)")
      }
    }
  }
}
