import Control
import Manager
import Paxos
import Wire

/// Agents in the world: their search for the primary, and what they are told.
extension World {
  static let agentPace: Moment = .milliseconds(1_000)

  mutating func wake(agent index: Int, _ life: Int) {
    guard agents[index].isUp, agents[index].life == life else { return }
    agenda.add(
      .agent(index, life: life), at: time + Self.agentPace * 3 / 4 + chance.number(0...Self.agentPace / 2))
    for (stream, update) in agents[index].hear(at: time) where agents[index].listens(to: stream) {
      take(update, on: stream, by: index)
    }
    guard let stream = agents[index].current, time < agents[index].heard + Limits.silence else {
      return connect(agent: index)
    }
    // Now and then an agent looks elsewhere though it has a primary, which it goes on listening to.
    if chance.happens(perThousand: plan.wandering), !isCalm { return connect(agent: index) }
    guard agents[index].isAccepted else { return }
    say(.ping, on: stream)
    if chance.happens(perThousand: 60), !isCalm { changeHealth(agent: index) }
    usePorts(agent: index, on: stream)
    if chance.happens(perThousand: 300) { say(.report(.statistics(Self.statistics)), on: stream) }
  }

  static let statistics = NodeStatistics(bgp: [], counters: [], problems: [])

  mutating func changeHealth(agent index: Int) {
    guard let stream = agents[index].current, let report = agents[index].changeHealth(&chance) else { return }
    say(.report(report), on: stream)
  }

  mutating func connect(agent index: Int) {
    let manager = agents[index].nextManager(of: machines.count)
    streams.append(
      Stream(
        agent: index, agentLife: agents[index].life, manager: manager, managerLife: machines[manager].life))
    agents[index].open(streams.count - 1, to: manager, at: time)
    say(.hello(agents[index].hello), on: streams.count - 1)
  }

  mutating func startAgent(_ index: Int) {
    guard !agents[index].isUp else { return }
    agents[index].isUp = true
    agenda.add(.agent(index, life: agents[index].life), at: time)
  }

  // MARK: Streams

  mutating func say(_ item: Stream.Upward, on stream: Int) {
    agenda.add(.up(stream), at: streams[stream].send(item, arriving: time + network.delay(&chance)))
  }

  mutating func tell(_ stream: Int, _ item: Stream.Downward) {
    var delay = network.delay(&chance)
    if time < lateUntil, chance.happens(perThousand: 300), case .update = item {
      delay += chance.number(.milliseconds(200)...(.seconds(12)))
      counts[.messagesLate] += 1
    }
    agenda.add(.down(stream), at: streams[stream].send(item, arriving: time + delay))
  }

  /// A cut path holds a stream back; its sender tries again until it heals.
  private mutating func isHeldBack(_ event: Event, from sender: Place, to receiver: Place) -> Bool {
    guard network.isCut(from: sender, to: receiver) else { return false }
    agenda.add(event, at: time + .milliseconds(200))
    return true
  }

  mutating func deliverUp(_ stream: Int, _ event: Event) {
    let (agent, manager) = (streams[stream].agent, streams[stream].manager)
    guard isAwake(manager, streams[stream].managerLife, event),
      !isHeldBack(event, from: .agent(agent), to: .manager(manager)), let item = streams[stream].nextUp()
    else { return }
    step(manager) { process, now in process.take(item, on: stream, now) }
  }

  mutating func deliverDown(_ stream: Int) {
    let (agent, manager) = (streams[stream].agent, streams[stream].manager)
    guard agents[agent].life == streams[stream].agentLife,
      !isHeldBack(.down(stream), from: .manager(manager), to: .agent(agent)),
      let item = streams[stream].nextDown(), agents[agent].isUp, agents[agent].listens(to: stream)
    else { return }
    agents[agent].heard(stream, at: time)
    switch item {
    case .pong: break
    case .accepted: agents[agent].accepted(stream)
    case .refused(let error): refused(agent, on: stream, error)
    case .ended: agents[agent].ended(stream)
    case .portRefusal: counts[.portsRefused] += 1
    case .update(let update):
      if !agents[agent].puts(off: update, on: stream, at: time) { take(update, on: stream, by: agent) }
    }
  }

  private mutating func refused(_ agent: Int, on stream: Int, _ error: ManagementError) {
    counts[.agentsRefused] += 1
    note("node\(agent) is refused: \(error)")
    if case .notPrimary(let address) = error { agents[agent].hint = manager(at: address) }
    agents[agent].ended(stream)
  }

  // MARK: Updates

  private mutating func take(_ update: Update, on stream: Int, by agent: Int) {
    let hadLeases = !agents[agent].node.leases.isEmpty
    let (result, reports) = agents[agent].take(update, &chance, bug: bug)
    switch result {
    case .applied:
      counts[.updatesApplied] += 1
      _ = check { world throws(Finding) in try world.fencing.carriedOut(update, by: agent) }
      let now = time
      _ = check { world throws(Finding) in try world.agents[agent].follow(at: now) }
      if hadLeases || !agents[agent].node.leases.isEmpty { checkPorts(of: agent) }
      if counts[.updatesApplied].isMultiple(of: 4) { checkNode(agent, update) }
    case .refused(let highest):
      counts[.updatesRefused] += 1
      note("node\(agent) refuses epoch \(update.epoch), having seen \(highest)")
    case .outOfOrder:
      counts[.updatesOutOfOrder] += 1
      say(.ended, on: stream)
      return agents[agent].ended(stream)
    }
    for report in reports { say(.report(report), on: stream) }
  }

  /// A node is what the committed state of the update's revision says, however it came there.
  private mutating func checkNode(_ agent: Int, _ update: Update) {
    guard let state = log.state(at: update.revision) else {
      return fail(
        .agreement, "node\(agent) is told of revision \(update.revision.number), which is not committed")
    }
    // Leases that some MUX does not know yet come later.
    let node = Self.node(
      agents[agent].name, by: state, update.epoch, leases: agents[agent].node.leases)
    guard agents[agent].node != node else { return }
    fail(.agreement, "node\(agent) is not what revision \(update.revision.number) makes it")
  }

  /// The node that a state describes; of leases only those of a list, if there is one.
  static func node(
    _ name: String, by state: ManagerState, _ epoch: Epoch, leases: [IPv4Address: [PortRange: Bool]]? = nil
  ) -> NodeState {
    var commands = state.snapshot(for: name)
    if let leases {
      commands = commands.filter { command in
        switch command {
        case .leasePortRange(let lease), .recallPortRange(let lease):
          leases[lease.locator]?[lease.range] != nil
        default: true
        }
      }
    }
    var node = NodeState()
    _ = node.apply(Update(epoch: epoch, revision: state.revision, isSnapshot: true, commands: commands))
    return node
  }
}
