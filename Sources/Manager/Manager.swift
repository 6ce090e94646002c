public import Control

/// The manager as a state machine: what happens goes in, what is to be done comes out; it has no clock and
/// does no I/O.
///
/// A request is judged on the desired state as all entries on their way into the log will leave it, so that
/// many operators share one write to disk; it is answered, and the nodes learn of it, when its entry is
/// committed.
public struct Manager: Sendable {
  /// What the log has made so far.
  public private(set) var state: ManagerState
  var epoch: Epoch?
  /// A node has seen a higher epoch than this primary's: nothing is ordered until a write has shown who is primary.
  private var isFenced: Bool { unproven > 0 }
  /// Beginnings of this primary's epoch that have to be chosen before it orders anything: those on their way when
  /// it was contradicted may be older than that.
  private var unproven = 0
  private var awaitsDraw = false
  var primaryAddress: String?
  var proposals: Proposals
  var streams: [SessionID: NodeStream] = [:]
  var sessionsByNode: [String: SessionID] = [:]
  /// What each node runs and says of itself; kept when its stream ends.
  var nodes: [String: NodeMemory] = [:]
  var waits = Waits()
  var now: UInt64 = 0
  var wall: UInt64 = 0
  var portDesk = PortDesk()
  /// Leases that some MUX does not know yet.
  var leases = NodeLeases()
  var muxes = MuxPool()
  /// Nodes with leases that this primary found, and does not know to be ripe.
  var unsure: Set<String> = []
  /// Deleted nodes that have not let go of their VMs' ports, and since when.
  var lostSince: [String: UInt64] = [:]
  /// The newest revision that is not about ports alone.
  var newsForAll = Revision(0)
  private var view: SnapshotView?

  struct NodeMemory {
    var revision = Revision(0)
    var statistics: NodeStatistics?
  }

  /// Begins with what the log holds; not as primary.
  public init(_ state: ManagerState) {
    self.state = state
    proposals = Proposals(state.desired)
  }

  /// Takes one thing that happens.
  public mutating func handle(_ input: Input) -> [Output] {
    switch input {
    case .becamePrimary(let epoch): becomePrimary(epoch)
    case .lostPrimary(let address): losePrimary(address)
    case .request(let id, let operation, let dryRun, let author):
      request(id, operation, dryRun: dryRun, by: author)
    case .committed(let entries): commit(entries)
    case .installed(let state): install(state)
    case .connected(let hello, let session): connect(hello, session)
    case .disconnected(let session): disconnect(session)
    case .report(let report, let session): take(report, session)
    case .wait(let id, let revision): wait(id, revision)
    case .endWait(let id): endWait(id)
    case .tick(let milliseconds, let wall): tick(milliseconds, wall: wall)
    case .drawn(let low, let high): rotateKeys(low, high)
    case .note(let text, let author): note(text, by: author)
    case .recall(let id, let recall, let author): self.recall(id, recall, by: author)
    }
  }

  // MARK: Primacy

  /// Takes over; or goes on under a new ballot, as after a change of the managers: then what is under way stays.
  private mutating func becomePrimary(_ epoch: Epoch) -> [Output] {
    let goesOn = self.epoch != nil
    self.epoch = epoch
    primaryAddress = nil
    if !goesOn {
      awaitsDraw = false
      unproven = 0
      proposals = Proposals(state.desired)
      beginPorts()
    }
    proposals.appendEpoch()
    if isFenced { unproven = proposals.epochCount }
    let since = goesOn ? "as before" : "from revision \(state.revision.number)"
    return [.event(.info, "primary in epoch \(epoch), \(since)"), .append(.epochBegan(epoch))]
  }

  /// Whoever waits for an entry is told that it may take effect or not; agents look for the next primary, which
  /// also hears again of the health they reported.
  private mutating func losePrimary(_ address: String?) -> [Output] {
    let wasPrimary = epoch != nil
    epoch = nil
    primaryAddress = address
    guard wasPrimary else { return [] }
    var outputs: [Output] = [.event(.warning, "not primary any more")]
    outputs += proposals.abandon(to: state.desired).map { .fail($0, .uncertain(reason: Self.deposed)) }
    for session in streams.keys.sorted() { outputs += close(session, "another manager is primary") }
    return outputs + waits.abandon(.notPrimary(address: address))
  }

  private static let deposed =
    "the primary was deposed while this was under way; look whether it took effect before you try again"

  /// A node has seen a higher epoch: perhaps this primary slept through an election.
  ///
  /// Nothing is ordered until a write of this epoch is chosen, which it cannot be if there is a newer primary
  /// (`system.md` §6; Ananta §6, the disk that froze for two minutes and thawed).
  private mutating func fence(_ highest: Epoch, seenBy node: String) -> [Output] {
    guard let epoch, highest > epoch, !isFenced else { return [] }
    proposals.appendEpoch()
    unproven = proposals.epochCount
    let sentence = "\(node) has seen epoch \(highest), above this primary's \(epoch); proving it by a write"
    return [.event(.warning, sentence), .append(.epochBegan(epoch))]
  }

  /// What others have come to, since this replica was too far behind to be told each entry.
  private mutating func install(_ state: ManagerState) -> [Output] {
    guard epoch == nil, state.revision >= self.state.revision else { return [] }
    self.state = state
    proposals = Proposals(state.desired)
    view = nil
    return []
  }

  // MARK: Operators

  private mutating func request(_ id: RequestID, _ operation: Operation, dryRun: Bool, by author: Author)
    -> [Output]
  {
    guard epoch != nil else { return [.fail(id, .notPrimary(address: primaryAddress))] }
    let validation = Validation(operation, on: proposals.desired)
    guard validation.isAccepted, !dryRun else { return [.reply(id, validation.outcome(at: state.revision))] }
    if validation.isIdle {
      if proposals.ride(Proposals.Answer(id, validation)) { return [] }
      return [.reply(id, validation.outcome(at: state.revision))]
    }
    guard !proposals.isFull else {
      return [.fail(id, .overloaded(reason: Self.overload, retryAfterMilliseconds: Limits.retryMilliseconds))]
    }
    proposals.append(id, validation)
    return [.append(.operation(operation, by: author))]
  }

  static let overload = "\(Limits.entriesInFlight) changes are under way"

  private mutating func note(_ text: String, by author: Author) -> [Output] {
    guard epoch != nil, !proposals.isFull else { return [] }
    proposals.appendOther()
    return [.append(.note(text, by: author))]
  }

  // MARK: The log

  private mutating func commit(_ entries: [CommittedEntry]) -> [Output] {
    var outputs: [Output] = []
    view = nil
    for committed in entries {
      let before = state.desired.nodes
      let effects = state.carryOut(committed.entry, at: committed.revision)
      if epoch != nil {
        if let flight = proposals.land() {
          if case .epoch = flight { unproven = max(0, unproven - 1) }
          outputs += answer(flight, at: committed.revision, effects)
        }
        outputs += followPorts(committed.entry, effects, at: committed.revision)
      }
      if case .keysRotated = committed.entry { awaitsDraw = false }
      if !committed.entry.isOfPorts { newsForAll = committed.revision }
      let isHeldBack = !effects.leases.isEmpty
      for each in effects.commands { outputs += enqueue(isHeldBack ? each.withoutLeases : each) }
      if case .operation = committed.entry { outputs += followNodes(from: before) }
    }
    // A follower's next operation is judged on what it has seen.
    if epoch == nil { proposals = Proposals(state.desired) }
    if epoch != nil { outputs += ripen() }
    for session in streams.keys.sorted() { outputs += push(session) }
    return outputs + updateWaits()
  }

  private func answer(_ flight: Proposals.Flight, at revision: Revision, _ effects: Effects) -> [Output] {
    if case .recall(let id) = flight { return [.recalled(id, effects.recalledCount)] }
    guard case .operation(let answer, let riders) = flight else { return [] }
    return ([answer] + riders).map { .reply($0.id, $0.outcome(at: revision)) }
  }

  mutating func enqueue(_ commands: NodeCommands) -> [Output] {
    guard let session = sessionsByNode[commands.node] else { return [] }
    let limit = pendingLimit(of: commands.node)
    guard streams[session]?.enqueue(commands.commands, atMost: limit) == false else { return [] }
    return close(session, "\(commands.node) is too far behind; it is to come again for a snapshot")
  }

  /// Ends the streams of nodes that have other roles than before, or are there again.
  private mutating func followNodes(from before: [String: Node]) -> [Output] {
    var outputs: [Output] = []
    for (name, session) in sessionsByNode.sorted(by: { $0.key < $1.key }) {
      guard let new = state.desired.nodes[name], new.roles != before[name]?.roles else { continue }
      let what = before[name] == nil ? "was made again" : "has other roles than before"
      outputs += close(session, "Node/\(name) \(what)")
    }
    for name in before.keys where state.desired.nodes[name] == nil { nodes[name] = nil }
    return outputs
  }

  // MARK: Agents

  private mutating func connect(_ hello: Hello, _ session: SessionID) -> [Output] {
    if let reason = objection(to: hello) {
      let refusal: [Output] = [
        .refuse(session, reason), .event(.warning, "refused the agent of \(hello.node): \(reason)"),
      ]
      return refusal + fence(hello.epoch, seenBy: hello.node)
    }
    var outputs: [Output] = []
    if let old = sessionsByNode[hello.node] {
      outputs += close(old, "\(hello.node) has opened a newer stream")
    }
    streams[session] = NodeStream(id: session, hello: hello)
    sessionsByNode[hello.node] = session
    nodes[hello.node, default: NodeMemory()].revision = min(hello.revision, state.revision)
    outputs += [
      .accept(session), .event(.info, "\(hello.node) connected, running revision \(hello.revision.number)"),
    ]
    return outputs + push(session) + updateWaits()
  }

  /// Why this agent cannot be served; nil if it can.
  private func objection(to hello: Hello) -> ManagementError? {
    guard let epoch else { return .notPrimary(address: primaryAddress) }
    guard let node = state.desired.nodes[hello.node] else {
      return .refused(
        reason: "there is no Node/\(hello.node); apply one, or correct `node` in the agent's configuration")
    }
    guard hello.epoch <= epoch else {
      let seen = "the agent has seen epoch \(hello.epoch), and this manager's is \(epoch)"
      return .refused(
        reason: "\(seen): its log is an old one; restore the right one, or remove the agent's saved state")
    }
    let missing = node.roles.filter { $0 != .manager && !hello.roles.contains($0) }
    guard missing.isEmpty else {
      let names = missing.map(\.rawValue).joined(separator: " and ")
      return .refused(
        reason: "Node/\(node.name) has the role \(names), and its agent has not; make `roles` agree")
    }
    return nil
  }

  mutating func push(_ session: SessionID) -> [Output] {
    // Orders count from the moment the epoch is durable.
    guard state.epoch == epoch, !isFenced, let node = streams[session]?.node else { return [] }
    guard state.desired.nodes[node] != nil else { return dismiss(node, session) }
    if streams[session]?.needsSnapshot == true, mustWait(node) { return [] }
    if mayWait(session) { return [] }
    let update = streams[session]?.next(state, now: now) {
      var shared = view ?? SnapshotView()
      defer { view = shared }
      return shared.snapshot(for: node, of: state, ripe: muxes.ripe)
    }
    if let update { muxes.sent(node, isSnapshot: update.isSnapshot) }
    return update.map { [.send($0, session)] } ?? []
  }

  /// A node that was deleted forgets all before its stream ends.
  private mutating func dismiss(_ node: String, _ session: SessionID) -> [Output] {
    nodes[node] = nil
    guard streams[session]?.isDismissed == false else { return [] }
    let farewell = streams[session]?.dismiss(state, now: now)
    let order = farewell.map { [Output.send($0, session)] } ?? []
    // Ports that its VMs had are free when it says that it has forgotten all.
    guard !state.ports.hasOrphans(of: node, upTo: state.revision) else { return order }
    return order + close(session, "Node/\(node) was deleted")
  }

  mutating func close(_ session: SessionID, _ reason: String) -> [Output] {
    forget(session)
    return [.close(session, reason), .event(.info, "ended a stream: \(reason)")]
  }

  private mutating func disconnect(_ session: SessionID) -> [Output] {
    guard let stream = streams[session] else { return [] }
    forget(session)
    return [.event(.info, "\(stream.node) disconnected")]
  }

  private mutating func forget(_ session: SessionID) {
    guard let stream = streams.removeValue(forKey: session) else { return }
    guard sessionsByNode[stream.node] == session else { return }
    sessionsByNode[stream.node] = nil
    muxes.disconnected(stream.node)
  }

  private mutating func take(_ report: Report, _ session: SessionID) -> [Output] {
    guard let node = streams[session]?.node else { return [] }
    switch report {
    case .hello: return close(session, "\(node) said hello twice on one stream")
    case .acknowledged(let revision, let epoch): return acknowledge(revision, epoch, node, session)
    case .refused(let revision, let highest):
      return close(session, "\(node) refused revision \(revision.number), since it has seen epoch \(highest)")
        + fence(highest, seenBy: node)
    case .health(let changes): return takeHealth(changes, node, session)
    case .portRequest(let request): return takeRequest(request, node, session)
    case .portsReturned(let returned): return takeReturns(returned, node, session)
    case .statistics(let statistics):
      nodes[node, default: NodeMemory()].statistics = statistics.trimmed
      return []
    }
  }

  private mutating func acknowledge(
    _ revision: Revision, _ epoch: Epoch, _ node: String, _ session: SessionID
  ) -> [Output] {
    guard streams[session]?.isOurs(epoch) == true else { return [] }
    guard streams[session]?.acknowledge(revision) == true else {
      return close(session, "\(node) acknowledged revision \(revision.number), which it was never sent")
    }
    let ports = followAcknowledgement(revision, of: node)
    guard streams[session]?.isDismissed == false else {
      return ports + (streams[session]?.isDone == true ? close(session, "Node/\(node) was deleted") : [])
    }
    let known = nodes[node]?.revision ?? Revision(0)
    nodes[node, default: NodeMemory()].revision = max(known, revision)
    return push(session) + ports + updateWaits()
  }

  private mutating func takeHealth(_ changes: [HealthChange], _ node: String, _ session: SessionID)
    -> [Output]
  {
    let trimmed = changes.map(\.trimmed)
    // While other health is on its way, what looks like no news may be news.
    let news = proposals.healthCount == 0 ? state.relevant(trimmed, from: node) : trimmed
    var outputs: [Output] = []
    for start in stride(from: 0, to: news.count, by: Limits.healthChangesPerReport) {
      guard !proposals.isFullOfHealth else {
        return outputs + close(session, "\(Limits.healthEntriesInFlight) reports of health are under way")
      }
      let part = news[start..<min(start + Limits.healthChangesPerReport, news.count)]
      proposals.appendHealth()
      outputs.append(.append(.health(Array(part), node: node)))
    }
    return outputs
  }

  // MARK: Time

  private mutating func tick(_ milliseconds: UInt64, wall: UInt64) -> [Output] {
    now = milliseconds
    self.wall = wall
    var outputs = drawIfDue()
    if epoch != nil { outputs += tickPorts() }
    for session in streams.keys.sorted() {
      guard let node = streams[session]?.node, let revision = streams[session]?.overdue(at: now) else {
        continue
      }
      let seconds = Limits.acknowledgementMilliseconds / 1000
      outputs.append(
        .event(.warning, "\(node) has not acknowledged revision \(revision.number) for \(seconds) seconds"))
    }
    return outputs
  }

  /// Asks for a new key when the newest is old; a clock that was set back counts as one that went on.
  private mutating func drawIfDue() -> [Output] {
    guard state.epoch == epoch, !awaitsDraw, !proposals.isFull else { return [] }
    let age = wall >= state.keysRotatedAt ? wall - state.keysRotatedAt : .max
    guard state.keys.keys.isEmpty || age >= Limits.keyLifetimeMilliseconds else { return [] }
    awaitsDraw = true
    return [.draw]
  }

  private mutating func rotateKeys(_ low: UInt64, _ high: UInt64) -> [Output] {
    guard epoch != nil, awaitsDraw else { return [] }
    proposals.appendOther()
    return [.append(.keysRotated(low: low, high: high, at: wall))]
  }

  // MARK: What is known

  /// The data centre as it is known now.
  public func clusterState() -> ClusterState {
    let names = state.desired.nodes.keys.sorted()
    let statuses = names.compactMap { name -> NodeStatus? in
      guard let node = state.desired.nodes[name] else { return nil }
      let memory = nodes[name] ?? NodeMemory()
      return NodeStatus(
        node: node, isConnected: sessionsByNode[name] != nil, revision: memory.revision,
        statistics: memory.statistics)
    }
    return state.clusterState(nodes: statuses)
  }
}

extension Node {
  /// Whether it acts on revisions: a node that is only a manager has nothing to carry out.
  var runsDataPath: Bool { roles.contains(.host) || roles.contains(.mux) }
}
