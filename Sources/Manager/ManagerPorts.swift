import Control
public import Wire

/// Leased ports in a manager (Ananta §3.5.1): who asks, who waits for which MUX, what comes back.
extension Manager {
  /// A primary begins, and does not know yet which MUXes run.
  mutating func beginPorts() {
    portDesk = PortDesk()
    leases = NodeLeases()
    lostSince = [:]
    muxes = MuxPool(muxNames, at: state.revision, ripe: state.ripe)
    unsure = state.nodesWithLeases(since: state.ripe)
    // What this primary found is ripe when it knows the MUXes.
    if !unsure.isEmpty, muxes.isSettled { portDesk.ripened(upTo: muxes.ripe) }
  }

  private var muxNames: Set<String> {
    Set(state.desired.nodes.values.filter { $0.roles.contains(.mux) }.map(\.name))
  }

  // MARK: Operators

  /// An operator wants ports back.
  mutating func recall(_ id: RequestID, _ recall: PortRecall, by author: Author) -> [Output] {
    guard epoch != nil else { return [.fail(id, .notPrimary(address: primaryAddress))] }
    if case .machine(let name) = recall, state.desired.machines[name] == nil {
      return [.fail(id, .refused(reason: "there is no VirtualMachine/\(name)"))]
    }
    guard state.hasLeases(of: recall) else { return [.recalled(id, 0)] }
    guard !proposals.isFull else {
      return [.fail(id, .overloaded(reason: Self.overload, retryAfterMilliseconds: Limits.retryMilliseconds))]
    }
    proposals.appendRecall(id)
    return [.append(.portsRecalled(recall, by: author))]
  }

  // MARK: Hosts

  /// A host asks for ports for one of its VMs.
  mutating func takeRequest(_ request: PortRequest, _ node: String, _ session: SessionID) -> [Output] {
    let locator = request.locator
    func refuse(_ reason: PortRefusal.Reason, _ milliseconds: UInt32) -> [Output] {
      self.refuse(
        PortRefusal(locator: locator, reason: reason, retryAfterMilliseconds: milliseconds), node, session)
    }
    guard state.host(of: locator) == node else {
      return refuse(.noService, Limits.noServiceRetryMilliseconds)
    }
    guard !muxes.isEmpty else { return refuse(.noMux, Limits.portRetryMilliseconds) }
    // What is said again while it waits costs nothing.
    guard !portDesk.isAsking(locator), !leases.awaits(locator) else { return [] }
    guard portDesk.allows(locator) else { return refuse(.rate, Limits.rateRetryMilliseconds) }
    if let refusal = state.refusal(of: locator) { return self.refuse(refusal, node, session) }
    guard !portDesk.isFull else { return refuse(.overloaded, Limits.portRetryMilliseconds) }
    portDesk.take(request, from: node)
    return appendPorts()
  }

  /// Tells a host, and once a minute whoever reads the log.
  private mutating func refuse(_ refusal: PortRefusal, _ node: String, _ session: SessionID) -> [Output] {
    let answer = Output.refusePorts(refusal, session)
    guard let machine = state.machinesByLocator[refusal.locator],
      portDesk.isNews(refusal, isForeign: state.host(of: refusal.locator) != node, at: now)
    else {
      return [answer]
    }
    return [answer, .event(.warning, state.sentence(on: refusal, of: machine, to: node))]
  }

  /// A host has stopped using ranges.
  ///
  /// What names a lease that the host has not acknowledged is about an earlier one: it was said before, and is said
  /// again if it is meant.
  mutating func takeReturns(_ returns: [PortLease], _ node: String, _ session: SessionID) -> [Output] {
    for lease in returns.prefix(Control.Limits.rangesPerReport) {
      guard let grant = state.ports.grant(lease.range), grant.locator == lease.locator,
        state.host(of: lease.locator) == node, grant.revision <= muxes.ripe,
        streams[session]?.hasConfirmed(lease.range) == true
      else { continue }
      portDesk.take(PortReturn(lease, granted: grant.revision))
    }
    return appendPorts()
  }

  private mutating func appendPorts() -> [Output] {
    portDesk.next(at: wall).map { entry in
      proposals.appendPorts()
      return .append(entry)
    }
  }

  /// A node runs a revision: MUXes let leases ripen, hosts let go of orphans.
  mutating func followAcknowledgement(_ revision: Revision, of node: String) -> [Output] {
    let owesNothing = sessionsByNode[node].flatMap { streams[$0] }?.owesNothing ?? false
    let isBack = muxes.acknowledged(node, revision, owesNothing: owesNothing)
    let events: [Output] = isBack ? [.event(.info, "\(node) acknowledges again; leases wait for it")] : []
    return events + ripen() + release(node, upTo: revision)
  }

  private mutating func release(_ node: String, upTo revision: Revision) -> [Output] {
    guard state.ports.hasOrphans(of: node, upTo: revision),
      let entry = portDesk.release(node, upTo: revision)
    else { return [] }
    proposals.appendPorts()
    return [.append(entry)]
  }

  // MARK: The log

  /// A primary takes note of what an entry did to leases.
  mutating func followPorts(_ entry: Entry, _ effects: Effects, at revision: Revision) -> [Output] {
    leases.add(effects.leases, at: revision)
    switch entry {
    case .operation: muxes.follow(muxNames)
    case .portsRequested, .portsReturned, .portsReleased:
      let askers = portDesk.landed(entry)
      return refuse(effects, askers) + appendPorts()
    case .portsRipe: portDesk.landedRipe()
    default: break
    }
    return []
  }

  private mutating func refuse(_ effects: Effects, _ askers: [(locator: IPv4Address, node: String)])
    -> [Output]
  {
    guard !askers.isEmpty else { return [] }
    let nodes = Dictionary(askers.map { ($0.locator, $0.node) }) { first, _ in first }
    var refusals = effects.refusals
    if muxes.isEmpty {
      refusals += Set(effects.leases.map(\.locator)).sorted().map { locator in
        PortRefusal(
          locator: locator, reason: .noMux, retryAfterMilliseconds: Limits.portRetryMilliseconds)
      }
    }
    return refusals.flatMap { refusal -> [Output] in
      guard let node = nodes[refusal.locator], let session = sessionsByNode[node] else { return [] }
      return refuse(refusal, node, session)
    }
  }

  /// What all MUXes know goes to the hosts.
  mutating func ripen() -> [Output] {
    guard muxes.update() else { return [] }
    var outputs: [Output] = []
    let items = leases.ripen(upTo: muxes.ripe)
    if !items.isEmpty || !unsure.isEmpty { portDesk.ripened(upTo: muxes.ripe) }
    unsure = []
    for item in items {
      let (range, locator) = (item.lease.range, item.lease.locator)
      guard let grant = state.ports.grant(range), grant.revision == item.revision, grant.locator == locator,
        let node = state.host(of: locator)
      else { continue }
      outputs += enqueue(NodeCommands(node: node, commands: grant.commands(of: range)))
    }
    for session in streams.keys.sorted() { outputs += push(session) }
    return outputs
  }

  /// Whether the node's snapshot has to wait: it has leases of which the log does not say that they are ripe, and
  /// would lose them if they were left out.
  func mustWait(_ node: String) -> Bool { !muxes.isSettled && unsure.contains(node) }

  /// How many commands may wait for a node.
  func pendingLimit(of node: String) -> Int {
    let isMux = state.desired.nodes[node]?.roles.contains(.mux) == true
    return isMux
      ? max(Limits.pendingCommandsPerMux, state.ports.leasedCount) : Limits.pendingCommandsPerNode
  }

  /// Whether what the node could be sent is of no use to anybody yet: entries about ports come by the hundred.
  func mayWait(_ session: SessionID) -> Bool {
    streams[session]?.isBare(since: max(newsForAll, waits.newest), at: now) == true
  }

  // MARK: Time

  /// MUXes that are silent, or late, count no more; hosts that are gone for good lose what they had.
  mutating func tickPorts() -> [Output] {
    portDesk.tick(now)
    let seconds = Limits.muxPatienceMilliseconds / 1000
    var outputs: [Output] = muxes.tick(now).map { name in
      .event(.warning, "\(name) has acknowledged nothing for \(seconds) seconds; leases do not wait for it")
    }
    outputs += ripen() + sayRipe()
    for session in streams.keys.sorted() {
      outputs += push(session)
      guard let stream = streams[session], stream.isFarewellOver(at: now) else { continue }
      outputs += close(session, "Node/\(stream.node) was deleted")
    }
    let lost = state.ports.orphans.keys.filter {
      state.desired.nodes[$0]?.roles.contains(.host) != true
    }
    lostSince = lostSince.filter { lost.contains($0.key) }
    for node in lost.sorted() {
      let since = lostSince[node] ?? now
      lostSince[node] = since
      guard now >= since + Limits.lostNodeMilliseconds, let last = state.ports.orphans[node]?.last else {
        continue
      }
      outputs += release(node, upTo: last.revision)
    }
    return outputs
  }
}

extension Manager {
  private mutating func sayRipe() -> [Output] {
    guard !proposals.isFull, let entry = portDesk.sayRipe(at: now) else { return [] }
    proposals.appendPorts()
    return [.append(entry)]
  }
}

extension ManagerState {
  /// Which nodes have VMs with leases of entries after a revision; goes through all leases.
  func nodesWithLeases(since revision: Revision) -> Set<String> {
    var nodes: Set<String> = []
    for pool in ports.pools.values {
      for grant in pool.grants.values where grant.revision > revision {
        if let node = host(of: grant.locator) { nodes.insert(node) }
      }
    }
    return nodes
  }

  /// On which node a locator's VM is.
  public func host(of locator: IPv4Address) -> String? {
    machinesByLocator[locator].flatMap { desired.machines[$0]?.host }
  }
}
