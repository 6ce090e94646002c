import Control
import Manager
import Paxos

/// What checkers see in a manager's steps.
extension World {
  mutating func see(_ sight: Sight, in index: Int) {
    let replica = machines[index].id
    switch sight {
    case .applied(let slot, let entry): applied(entry, at: slot, by: replica)
    case .taken(let entry, let revision):
      if case .epochBegan = book.entries[entry] { fencing.proved(index, by: entry) }
      _ = check { world throws(Finding) in try world.log.taken(entry, as: revision, by: replica) }
    case .state(let state, let isWhole):
      if isWhole { counts[.snapshotsInstalled] += 1 }
      // States are large: each is compared every so often, and all of it after an installation.
      let isDue = isWhole || (Int(state.revision.number) + index).isMultiple(of: 8)
      _ = check { world throws(Finding) in try world.log.holds(state, replica, isWhole: isDue) }
    case .snapshotTaken: counts[.snapshotsTaken] += 1
    case .leading(let ballot):
      counts[.elections] += 1
      note("manager \(index) leads with ballot \(ballot.round).\(ballot.replica.number)")
    case .deposed:
      counts[.depositions] += 1
      note("manager \(index) is deposed")
    case .tookLeadership, .tookDeposition: fencing.ended(index)
    case .contradicted:
      if fencing.contradicted(index, nextEntry: book.entries.count) { counts[.primariesFenced] += 1 }
      note("manager \(index) learns that a node has seen a newer primary")
    case .ordered(let update):
      _ = check { world throws(Finding) in try world.fencing.ordered(index) }
      checkOrder(update, by: index)
    case .waitEnded(let revision, let state): checkWait(revision, state)
    case .shed: counts[.requestsShed] += 1
    case .held: counts[.reportsHeld] += 1
    case .statisticsShed: counts[.statisticsShed] += 1
    case .proposalRefused(let refusal):
      fail(.answers, "replica \(replica.number) refuses a proposal while it leads: \(refusal)")
    case .administrationRefused(let refusal):
      note("manager \(index) refuses to change who votes or leads: \(refusal)")
    case .rejected(let sender, let rejection): rejected(rejection, of: sender, by: replica)
    }
  }

  private mutating func applied(_ entry: Paxos::Entry, at slot: Slot, by replica: ReplicaID) {
    let new = check { world throws(Finding) in
      try world.log.applied(entry, at: slot, by: replica, world.book)
    }
    guard let (entry, revision) = new ?? nil else { return }
    counts[.revisions] += 1
    trace.mix(revision.number)
    note("revision \(revision.number) in slot \(slot.number): \(Self.text(of: entry))")
    guard case .operation(_, let author) = entry else { return }
    _ = check { world throws(Finding) in try world.history.applied(Int(author.at), at: revision) }
  }

  private static func text(of entry: Manager::Entry) -> String {
    switch entry {
    case .operation(_, let author): "attempt \(author.at) of \(author.name)"
    case .health(let changes, let node): "\(changes.count) changes of health at \(node)"
    case .epochBegan(let epoch): "epoch \(epoch) begins"
    case .keysRotated: "keys go on"
    case .note(let text, _): text
    case .portsRequested(let requests, _): "\(requests.count) requests for ports"
    case .portsReturned(let returns): "\(returns.count) ranges come back"
    case .portsReleased(let node, let revision): "\(node) let go of ports with revision \(revision.number)"
    case .portsRipe(let revision): "leases up to revision \(revision.number) are ripe"
    case .portsRecalled(_, let author): "\(author.name) recalls ports"
    }
  }

  /// A message for a disk that was replaced is refused; nothing else should be.
  private mutating func rejected(_ rejection: Envelope.Rejection, of sender: ReplicaID, by replica: ReplicaID)
  {
    if case .receiver = rejection { return }
    fail(.recovery, "replica \(replica.number) rejects a message of \(sender.number): \(rejection)")
  }

  /// A wait ends when all hosts and MUXes run the revision, and not before.
  private mutating func checkWait(_ revision: Revision, _ state: ManagerState) {
    for (agent, process) in agents.enumerated() where state.desired.nodes[process.name] != nil {
      guard fencing.revision(of: agent) < revision else { continue }
      fail(.answers, "a wait for revision \(revision.number) ends before \(process.name) runs it")
    }
  }
}
