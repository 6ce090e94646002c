/// One replica of a replicated log: Multi-Paxos as a value.
///
/// It is acceptor, learner and, when elected, leader at once; each role is a file of its own (`Acceptor`,
/// `Learner`, `Election`, `Leader`). Nothing happens by itself: an input and the time go in, effects come
/// out, and the same inputs give the same effects.
///
/// - Lamport, "The Part-Time Parliament", 1998, and "Paxos Made Simple", 2001
/// - Chandra, Griesemer, Redstone, "Paxos Made Live", 2007
/// - van Renesse, Altinbuken, "Paxos Made Moderately Complex", 2015
public struct Replica: Sendable {
  /// Its cluster.
  public let cluster: ClusterID
  /// Itself.
  public let id: ReplicaID
  let tuning: Tuning
  let contacts: [ReplicaID]

  var now: Milliseconds = 0
  var jitter: Jitter
  var outbox: Outbox
  /// What was found on disk, until the first input.
  private var recovered: (committed: Slot, snapshot: Snapshot)?

  // The acceptor's part.
  var promised: Ballot
  var log: Log
  var grant: LeaseGrant?

  // The learner's part.
  var committed: Slot
  var memberships: [Membership]
  var snapshot: Snapshot
  var demand = SnapshotDemand()
  var catchUp = CatchUpState()

  // The proposer's part.
  var leader: ReplicaID?
  var highestRound: UInt64
  var electionDue: Milliseconds = 0
  var campaign: Campaign?
  var leadership: Leadership?
  var proposals = ProposalQueue()
  var learners: [LearnerProgress] = []

  /// Starts from what is on disk.
  ///
  /// - Parameters:
  ///   - state: what the disk holds; `DurableState(founding:replica:founders:)` or
  ///     `DurableState(joining:replica:)` on a new one.
  ///   - cluster: the cluster that is configured.
  ///   - contacts: whom a replica asks as long as it knows no voters.
  ///   - tuning: how fast to act.
  ///   - seed: of the chance that keeps elections apart; different on each replica.
  /// - Throws: `RecoveryError` if the disk is another cluster's, or damaged.
  public init(
    recovering state: DurableState, cluster: ClusterID, contacts: [ReplicaID] = [], tuning: Tuning = Tuning(),
    seed: UInt64
  ) throws(RecoveryError) {
    guard state.cluster == cluster else {
      throw .anotherCluster(found: state.cluster, expected: cluster)
    }
    guard state.snapshot.isIntact else { throw .damagedSnapshot(state.snapshot.slot) }
    self.cluster = cluster
    self.contacts = contacts
    self.tuning = tuning
    id = state.replica
    promised = state.promised
    highestRound = state.promised.round
    snapshot = state.snapshot
    memberships = state.snapshot.memberships
    committed = state.snapshot.slot
    jitter = Jitter(seed: seed)
    outbox = Outbox(cluster: cluster, replica: state.replica, committed: state.committed)
    log = try Self.log(of: state)
    recovered = (max(state.committed, state.snapshot.slot), state.snapshot)
  }

  private static func log(of state: DurableState) throws(RecoveryError) -> Log {
    let next = state.snapshot.slot.next
    let chosen = max(state.committed, state.snapshot.slot)
    for (left, right) in zip(state.records, state.records.dropFirst()) {
      guard left.slot < right.slot else { throw .damagedLog(right.slot) }
      guard right.slot == left.slot.next || left.slot >= chosen else { throw .damagedLog(left.slot.next) }
    }
    if let last = state.records.last, last.slot > state.committed.advanced(by: 2 * Limits.acceptorWindow) {
      throw .damagedLog(state.committed.next)
    }
    let log = Log(first: min(state.records.first?.slot ?? next, next), records: state.records)
    // What lies below the snapshot serves others, and must have no gaps either.
    var slot = log.first
    while slot <= chosen {
      guard log[slot] != nil else { throw .damagedLog(slot) }
      slot = slot.next
    }
    return log
  }

  /// Takes one input.
  ///
  /// - Parameters:
  ///   - input: what has happened.
  ///   - now: the replica's clock, read when the input is taken up and not when it arrived: a process that
  ///     was stopped for a minute must not judge its lease by the time before. A clock that goes backwards is
  ///     taken to stand still.
  /// - Returns: what is to be done, in order.
  public mutating func handle(_ input: Input, at now: Milliseconds) -> [Output] {
    self.now = max(self.now, now)
    begin()
    switch input {
    case .tick: tick()
    case .received(let envelope): receive(envelope)
    case .persisted(let write): outbox.confirm(upTo: write)
    case .propose(let request, let command): propose(request, command)
    case .reconfigure(let request, let change): reconfigure(request, change)
    case .read(let request): read(request)
    case .snapshotTaken(let slot, let state): takeSnapshot(at: slot, state)
    case .transfer(let request, let successor): transfer(request, to: successor)
    }
    settle()
    return outbox.close(committed: committed)
  }

  /// Takes up what was found on disk, at the first time that is known.
  private mutating func begin() {
    guard let (chosen, snapshot) = recovered else { return }
    recovered = nil
    if snapshot.slot > .none { outbox.emit(.install(snapshot)) }
    while committed < chosen, let record = log[committed.next] { commit(record) }
    // It may have given a grant just before it fell, to nobody but the owner of the ballot it had promised.
    if promised > .none {
      grant = LeaseGrant(ballot: promised, until: self.now + tuning.lease)
    }
    electionDue = (grant?.until ?? self.now) + jitter.next(below: tuning.jitter)
  }

  /// Works until no message to oneself is left.
  private mutating func settle() {
    repeat {
      while let message = outbox.nextLocal() { take(message, from: id) }
      pump()
    } while outbox.release()
  }

  private mutating func tick() {
    tickElection()
    tickLeader()
    tickLearner()
  }

  private mutating func receive(_ envelope: Envelope) {
    do {
      try envelope.check(cluster: cluster, replica: id)
    } catch {
      return outbox.emit(.rejected(from: envelope.from, error))
    }
    take(envelope.message, from: envelope.from)
  }

  private mutating func take(_ message: Message, from sender: ReplicaID) {
    switch message {
    case .canvass(let ballot, let committed): canvass(ballot, committed, from: sender)
    case .supported(let ballot): supported(ballot, by: sender)
    case .prepare(let ballot, let slot): prepare(ballot, from: slot, sender)
    case .promise(let promise): self.promise(promise, by: sender)
    case .accept(let accept): self.accept(accept, from: sender)
    case .accepted(let ballot, let first, let count, let grant):
      accepted(ballot, first: first, count: count, grant, by: sender)
    case .heartbeat(let ballot, let slot, let sent):
      heartbeat(ballot, committed: slot, sent: sent, from: sender)
    case .granted(let ballot, let grant): granted(ballot, grant, by: sender)
    case .nack(let ballot, let promised): nack(ballot, promised: promised)
    case .resign(let ballot, let successor): resigned(ballot, successor: successor)
    case .catchUp(let slot, let fragment): serve(sender, from: slot, fragment)
    case .chosen(let records, let slot): chosen(records, committed: slot, from: sender)
    case .chunk(let chunk): self.chunk(chunk, from: sender)
    }
  }
}
