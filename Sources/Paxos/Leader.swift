/// The leader: one ballot prepared for all later slots, entries pipelined within the window ("Paxos Made
/// Simple" §3).
extension Replica {
  /// Phase 1 is done.
  mutating func lead() {
    guard let current = campaign else { return }
    campaign = nil
    leadership = Leadership(current, committed: committed, now: now)
    leader = id
    sendHeartbeat()
  }

  /// Voters of the next slot, and those to come, who have to learn of it.
  private var audience: [ReplicaID] {
    let next = committed.next
    let relevant = memberships.filter { $0.since > next }.flatMap(\.voters)
    return Set(relevant + (membership(at: next)?.voters ?? [])).sorted()
  }

  private mutating func sendHeartbeat() {
    guard let ballot = leadership?.ballot else { return }
    leadership?.lastHeartbeat = now
    for voter in audience { outbox.send(.heartbeat(ballot, committed: committed, sent: now), to: voter) }
  }

  mutating func tickLeader() {
    guard let current = leadership else { return }
    // Two leases without a majority: whoever waits for an answer should look elsewhere.
    if now >= max(current.leaseEnd, current.since) + 2 * tuning.lease { return stepDown() }
    // With its own disk this far behind it proposes nothing more; others may.
    if outbox.isCongested { return resign(successor: nil) }
    if now >= current.lastHeartbeat + tuning.heartbeat { sendHeartbeat() }
    resend()
  }

  /// Sends what is unanswered for too long again, to those who have not voted for it.
  private mutating func resend() {
    guard let current = leadership,
      let first = current.flights.firstIndex(where: { now >= $0.sent + tuning.retry })
    else { return }
    let late = current.flights[first...]
    for index in late.indices { leadership?.flights[index].sent = now }
    for voter in current.membership.voters {
      let missing = late.indices.filter { !late[$0].voters.contains(voter) }
      guard let start = missing.first, let end = missing.last else { continue }
      let slot = committed.next.advanced(by: start)
      sendAccepts(late[start...end].map(\.entry), first: slot, to: [voter])
    }
  }

  /// Phase 2a, in messages of bounded size.
  private mutating func sendAccepts(_ entries: [Entry], first: Slot, to voters: [ReplicaID]) {
    guard let ballot = leadership?.ballot else { return }
    var start = 0
    while start < entries.count {
      var end = start + 1
      var octets = entries[start].size
      while end < entries.count, octets + entries[end].size <= Limits.messageBytes {
        octets += entries[end].size
        end += 1
      }
      let accept = Accept(
        ballot: ballot, first: first.advanced(by: start), entries: Array(entries[start..<end]),
        committed: committed,
        sent: now)
      for voter in voters { outbox.send(.accept(accept), to: voter) }
      start = end
    }
  }

  /// Gives slots to as many entries as the window has room for.
  mutating func pump() {
    guard let first = leadership?.next else { return }
    var entries: [Entry] = []
    while let proposal = nextProposal() {
      let flight = Flight(entry: proposal.entry, request: proposal.request, sent: now)
      let slot = first.advanced(by: entries.count)
      if case .membership = proposal.entry { leadership?.change = slot }
      leadership?.flights.append(flight)
      leadership?.octets += proposal.entry.size
      leadership?.next = slot.next
      entries.append(proposal.entry)
    }
    if !entries.isEmpty, let voters = leadership?.membership.voters {
      sendAccepts(entries, first: first, to: voters)
    }
    finishTerm()
  }

  /// What belongs into the next slot: what phase 1 found there, nothing in a gap or as the first own entry,
  /// then what waits.
  private mutating func nextProposal() -> (entry: Entry, request: RequestID?)? {
    guard let slot = leadership?.next, let barrier = leadership?.barrier, !outbox.isCongested,
      slot <= committed.advanced(by: Limits.window), (leadership?.octets ?? 0) < Limits.windowBytes,
      let membership = membership(at: slot), membership.since == leadership?.membership.since
    else { return nil }
    if slot < barrier { return (leadership?.votes[slot]?.entry ?? .noOp, nil) }
    if slot == barrier { return (.noOp, nil) }
    guard leadership?.successor == nil else { return nil }
    if let proposal = proposals.takeNext() {
      if case .membership = proposal.entry { leadership?.isChangeQueued = false }
      return (proposal.entry, proposal.request)
    }
    // A change that is decided comes into force only if the slots before it are used.
    return memberships.contains { $0.since > slot } ? (.noOp, nil) : nil
  }

  /// Ends the leader's time under a membership, or altogether.
  private mutating func finishTerm() {
    guard let current = leadership, current.flights.isEmpty else { return }
    if let successor = current.successor {
      resign(successor: successor)
    } else if let coming = membership(at: current.next), coming.since != current.membership.since {
      guard coming.voters.contains(id) else { return resign(successor: nil) }
      // A majority of the old voters has promised; the new ones have not been asked.
      leadership = nil
      let ballot = Ballot(round: max(highestRound, promised.round) + 1, replica: id)
      prepareBallot(ballot, coming, isContinuation: true)
    }
  }

  private mutating func resign(successor: ReplicaID?) {
    guard let ballot = leadership?.ballot else { return }
    // With this they know that the entry that ends this leader's time is chosen.
    sendHeartbeat()
    let listeners = audience
    stepDown()
    for listener in Set(listeners + [id]).sorted() {
      outbox.send(.resign(ballot, successor: successor), to: listener)
    }
  }

  /// Phase 2b arrives.
  mutating func accepted(_ ballot: Ballot, first: Slot, count: Int, _ grant: Grant, by voter: ReplicaID) {
    guard leadership?.ballot == ballot else { return }
    granted(ballot, grant, by: voter)
    let offset = committed.next.distance(to: first)
    for index in max(0, offset)..<max(0, offset + count) { leadership?.vote(voter, at: index) }
    while let flight = leadership?.land() {
      let slot = committed.next
      commit(Record(slot: slot, ballot: ballot, entry: flight.entry))
      if leadership?.change == slot { leadership?.change = nil }
      if let request = flight.request { outbox.emit(.committed(request, slot)) }
    }
    announce()
  }

  private mutating func announce() {
    guard let current = leadership, !current.isAnnounced, committed >= current.barrier else { return }
    leadership?.isAnnounced = true
    outbox.emit(.leading(current.ballot))
  }

  /// A voter's grant, counted from when it was asked for: it began later.
  mutating func granted(_ ballot: Ballot, _ grant: Grant, by voter: ReplicaID) {
    guard leadership?.ballot == ballot, grant.asked <= now else { return }
    leadership?.renew(voter, until: grant.asked + tuning.usable(ofGrant: grant.duration))
  }

  mutating func refuse(_ request: RequestID, _ refusal: Refusal) {
    outbox.emit(.refused(request, refusal))
  }

  private var isLeading: Bool {
    leadership.map { $0.successor == nil } ?? (campaign?.isContinuation ?? false)
  }

  mutating func propose(_ request: RequestID, _ command: [UInt8]) {
    guard isLeading else { return refuse(request, .notLeader(leader)) }
    guard command.count <= Limits.commandBytes else { return refuse(request, .tooLarge) }
    enqueue(request, .command(command))
  }

  private mutating func enqueue(_ request: RequestID, _ entry: Entry) {
    guard snapshot.slot.distance(to: committed) < Limits.logEntries, demand.octetsAbove < Limits.logBytes
    else {
      if demand.isOverdue(now: now, patience: tuning.lease) { outbox.emit(.snapshotWanted) }
      return refuse(request, .logFull)
    }
    guard proposals.hasRoom(for: entry.size) else { return refuse(request, .retryLater) }
    if case .membership = entry { leadership?.isChangeQueued = true }
    proposals.append(ProposalQueue.Proposal(request: request, entry: entry))
  }

  /// One change at a time, and only by a leader that knows the membership, its own first entry being chosen.
  mutating func reconfigure(_ request: RequestID, _ change: Membership.Change) {
    guard let current = leadership, current.successor == nil else {
      return refuse(request, .notLeader(leader))
    }
    guard committed >= current.barrier, current.change == nil, !current.isChangeQueued,
      let last = memberships.last, last.since == current.membership.since
    else { return refuse(request, .retryLater) }
    guard last.changed(by: change, decided: current.next) != nil else { return refuse(request, .pointless) }
    if case .add(let replica) = change {
      let progress = learners.first { $0.replica == replica && now < $0.heard + 2 * tuning.lease }
      guard let progress, progress.next.advanced(by: Limits.joiningLag) > committed else {
        return refuse(request, .notCaughtUp)
      }
    }
    enqueue(request, .membership(change))
  }

  /// Reads are linearizable while a majority lets nobody else lead, and once all that was chosen before is
  /// applied.
  mutating func read(_ request: RequestID) {
    guard let current = leadership else { return refuse(request, .notLeader(leader)) }
    guard committed >= current.barrier, now < current.leaseEnd else { return refuse(request, .retryLater) }
    outbox.emit(.readable(request, at: committed))
  }

  mutating func transfer(_ request: RequestID, to successor: ReplicaID) {
    guard let current = leadership else { return refuse(request, .notLeader(leader)) }
    guard successor != id, current.membership.voters.contains(successor) else {
      return refuse(request, .pointless)
    }
    guard committed >= current.barrier, current.successor == nil else { return refuse(request, .retryLater) }
    leadership?.successor = successor
    outbox.emit(.committed(request, committed))
  }
}
