import Paxos

/// The batches that a replica writes in its life, from a seed, and what its disk must hold after each.
///
/// Batch number `n` promises round `n`, so a state says how many batches are in it.
struct Script {
  private(set) var state: DurableState
  private var chance: Chance
  private let entryOctets: Int

  /// Begins as a founder.
  init(seed: Int, replica: ReplicaID, entryOctets: Int = 200) {
    chance = Chance(seed: seed)
    self.entryOctets = entryOctets
    let founders = [replica, ReplicaID(chance.next()), ReplicaID(chance.next())]
    state = DurableState(founding: ClusterID(chance.next()), replica: replica, founders: founders)
  }

  /// How many batches were taken.
  var count: UInt64 { state.promised.round }

  /// What the disk holds after some batches.
  func state(after count: UInt64) -> DurableState {
    var script = self
    while script.count < count { _ = script.next() }
    return script.state
  }

  /// The next batch, of every kind of write.
  mutating func next() -> WriteBatch {
    let ballot = Ballot(round: count + 1, replica: ReplicaID(chance.next()))
    var batch = WriteBatch(id: WriteID(ballot.round), writes: [])
    carryOut(.promised(ballot), in: &batch)
    for _ in 0..<chance.number(0..<4) {
      let highest = state.records.last?.slot ?? state.snapshot.slot
      // Mostly the next slot; at times one behind a gap, or one again.
      let distance = [1, 1, 1, 2, 0, -3][chance.number(0..<6)]
      let slot = max(highest.advanced(by: distance), Slot(1))
      carryOut(.record(Record(slot: slot, ballot: ballot, entry: entry())), in: &batch)
    }
    if chance.number(0..<3) == 0 {
      let known = state.records.last?.slot ?? state.snapshot.slot
      carryOut(.committed(max(known.advanced(by: -2), state.committed)), in: &batch)
    }
    if chance.number(0..<8) == 0 {
      let logFrom = state.committed.advanced(by: -chance.number(0..<5))
      carryOut(.snapshot(snapshot(), logFrom: logFrom), in: &batch)
    }
    return batch
  }

  private mutating func carryOut(_ write: Write, in batch: inout WriteBatch) {
    state.apply(write)
    batch.writes.append(write)
  }

  private mutating func entry() -> Entry {
    switch chance.number(0..<8) {
    case 0: .noOp
    case 1: .membership(.add(ReplicaID(chance.next())))
    case 2: .membership(.remove(ReplicaID(chance.next())))
    case 3: .command([])
    default: .command(chance.octets(0..<entryOctets + 1))
    }
  }

  private mutating func snapshot() -> Snapshot {
    var memberships = Array(state.snapshot.memberships.suffix(1))
    let change = Membership.Change.add(ReplicaID(chance.next()))
    if let next = memberships.last?.changed(by: change, decided: state.committed) { memberships.append(next) }
    return Snapshot(
      slot: state.committed, memberships: memberships, state: chance.octets(0..<4 * entryOctets))
  }
}
