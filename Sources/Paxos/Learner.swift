/// The learner: passes chosen entries on to the program, in order and without gaps ("Paxos Made Simple"
/// §2.3).
extension Replica {
  /// Who votes in a slot; known for slots up to `Limits.window` after what is committed.
  func membership(at slot: Slot) -> Membership? {
    memberships.last { $0.since <= slot }
  }

  /// Takes the next slot's entry as chosen.
  mutating func commit(_ record: Record) {
    guard record.slot == committed.next else { return }
    if log[record.slot] != record {
      log.insert(record)
      outbox.write(.record(record))
    }
    committed = record.slot
    outbox.emit(.apply(record.slot, record.entry))
    if case .membership(let change) = record.entry,
      let changed = memberships.last?.changed(by: change, decided: record.slot)
    {
      memberships.append(changed)
    }
    if demand.isDue(after: record.entry, every: tuning.snapshotEntries, now: now) {
      outbox.emit(.snapshotWanted)
    }
  }

  /// A leader says how far the log is chosen.
  ///
  /// What this replica voted for in the leader's own ballot is what is chosen there. A vote of an older
  /// ballot may have been overtaken, and is asked for.
  mutating func learn(committed slot: Slot, in ballot: Ballot, from sender: ReplicaID) {
    guard sender != id else { return }
    let before = committed
    while committed < slot, let record = log[committed.next], record.ballot == ballot { commit(record) }
    if slot > committed { fallBehind(slot, source: sender) }
    if committed > before { reviewCampaign() }
  }

  /// Takes the program's snapshot, and drops what it makes needless.
  mutating func takeSnapshot(at slot: Slot, _ state: [UInt8]) {
    guard slot > snapshot.slot, slot <= committed, state.count <= Limits.snapshotBytes else { return }
    let relevant = memberships(after: slot)
    snapshot = Snapshot(slot: slot, memberships: relevant, state: state)
    demand.answered()
    let first = log.retained(before: slot.next)
    log.truncate(before: first)
    outbox.write(.snapshot(snapshot, logFrom: first))
    forgetMemberships(before: slot)
  }

  /// The membership in force after a slot, and the one decided by then that is to come.
  private func memberships(after slot: Slot) -> [Membership] {
    let decided = memberships.filter { $0.decided <= slot }
    let inForce = decided.lastIndex { $0.since <= slot.next } ?? decided.startIndex
    return Array(decided[inForce...])
  }

  private mutating func forgetMemberships(before slot: Slot) {
    guard let index = memberships.lastIndex(where: { $0.since <= slot.next }) else { return }
    memberships.removeFirst(index)
  }

  /// Takes another replica's snapshot in place of everything up to its slot.
  mutating func install(_ other: Snapshot) {
    guard other.slot > committed || memberships.isEmpty else { return }
    snapshot = other
    demand = SnapshotDemand()
    memberships = other.memberships
    committed = other.slot
    log.truncate(before: other.slot.next)
    outbox.write(.snapshot(other, logFrom: other.slot.next))
    if other.slot > .none { outbox.emit(.install(other)) }
    reviewCampaign()
  }
}
