import Paxos

/// What must never happen, watched after every step.
struct Checker {
  private(set) var finding: String?
  private var chosen: [Slot: Entry] = [:]
  private var states: [Slot: RegisterMachine] = [.none: RegisterMachine()]
  private var commands: [RequestID: [UInt8]] = [:]
  private var neverApplied: Set<[UInt8]> = []
  /// No read may be answered from before this slot any more.
  private(set) var floor = Slot.none
  private(set) var acknowledged = 0
  private(set) var reads = 0
  private(set) var snapshotsInstalled = 0
  private(set) var changesApplied = 0

  mutating func fail(_ text: String) {
    finding = finding ?? text
  }

  mutating func proposed(_ request: RequestID, _ command: [UInt8]) {
    commands[request] = command
  }

  /// Agreement: no two replicas apply different entries in a slot, or come to different states by them.
  mutating func applied(_ entry: Entry, at slot: Slot, by replica: ReplicaID, state: RegisterMachine) {
    if let known = chosen[slot], known != entry {
      fail("agreement: replica \(replica.number) applies another entry in slot \(slot.number)")
    }
    if chosen[slot] == nil, case .membership = entry { changesApplied += 1 }
    chosen[slot] = entry
    holds(state, at: slot, replica)
    if case .command(let octets) = entry, neverApplied.contains(octets) {
      fail("a refused proposal is applied in slot \(slot.number)")
    }
  }

  /// A replica starts from a snapshot, its own or another's.
  mutating func installed(_ state: RegisterMachine, at slot: Slot, by replica: ReplicaID) {
    snapshotsInstalled += 1
    holds(state, at: slot, replica)
  }

  /// A replica's state after a slot is everyone's.
  mutating func holds(_ state: RegisterMachine, at slot: Slot, _ replica: ReplicaID) {
    if let known = states[slot], known != state {
      fail("agreement: replica \(replica.number) has another state after slot \(slot.number)")
    }
    states[slot] = states[slot] ?? state
  }

  /// Durability: what is acknowledged is what stands in the slot, and whatever is applied there later must
  /// equal it.
  mutating func committed(_ request: RequestID, at slot: Slot) {
    guard let command = commands[request] else { return }
    if chosen[slot] != .command(command) {
      fail("durability: slot \(slot.number) does not hold what was acknowledged")
    }
    floor = max(floor, slot)
    acknowledged += 1
  }

  mutating func refused(_ request: RequestID, _ refusal: Refusal) {
    guard let command = commands[request], refusal != .uncertain else { return }
    neverApplied.insert(command)
    if chosen.values.contains(.command(command)) { fail("a refused proposal is applied") }
  }

  /// Linearizability: a read sees all that was acknowledged or read before it was asked.
  mutating func read(at slot: Slot, by replica: ReplicaID, state: RegisterMachine) {
    if slot < floor {
      fail(
        "stale read: replica \(replica.number) answers from \(slot.number), \(floor.number) was seen before"
      )
    }
    holds(state, at: slot, replica)
    if state.slot != slot { fail("replica \(replica.number) answers a read from a state it has not") }
    floor = max(floor, slot)
    reads += 1
  }

  /// At most one replica may serve reads at a time.
  mutating func leaseholders(_ holders: [ReplicaID]) {
    if holders.count > 1 { fail("lease: replicas \(holders.map(\.number)) hold it at the same time") }
  }

  /// Progress: after the faults everybody comes to the same end.
  mutating func ended(_ statuses: [Status], acknowledgedSince: Int) {
    let leaders = statuses.filter { $0.role == .leader }
    if leaders.count != 1 { fail("liveness: \(leaders.count) leaders in the end") }
    let ends = Set(statuses.map(\.committed))
    if ends.count != 1 { fail("liveness: replicas end at slots \(ends.map(\.number).sorted())") }
    if let end = ends.max(), end < floor { fail("durability: the log ends before what was acknowledged") }
    if acknowledgedSince == 0 { fail("liveness: nothing is acknowledged after the faults") }
  }
}
