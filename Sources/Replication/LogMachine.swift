import Control
import Manager
import Paxos

/// What `PaxosLog` decides, as a value: it has no thread, clock, disk or network of its own.
///
/// It joins a `Paxos.Replica` to its manager: founding and joining, entries in order, who leads and since when,
/// questions that have to wait, and beginning again from the disk when there is no other way.
struct LogMachine: Sendable {
  /// How far a replica has come in its life.
  enum Condition: Hashable {
    /// The disk belongs to no cluster.
    case forming
    /// It is being written that it does.
    case founding
    /// It belongs to one whose members are not known yet.
    case joining(DurableState)
    case running
    /// The disk does not take what must be durable, or the replica is to begin again from it.
    case halted(String)
    /// It will not run any more.
    case ended(String)
  }

  /// Since which ballot this replica has led without a break, and the ballot it leads with now.
  struct Reign: Hashable {
    let since: Epoch
    var current: Epoch
  }

  let settings: ReplicationSettings
  /// How it introduces itself.
  var hello: PeerHello
  var condition = Condition.forming
  var replica: Replica?
  /// Counts the `Replica` values: what the disk confirms to one means nothing to the next.
  var life: UInt64 = 0
  /// The manager has been told that it is primary.
  var reign: Reign?
  var metrics = ReplicationMetrics()
  var peers = PeerTable()
  var questions = Questions()
  var line = ProposalLine()
  var lastRequest: UInt64 = 0
  /// Microseconds.
  var now: UInt64 = 0
  /// The last slot of the present `Replica` value, and the last that the manager has been told.
  var applied = Slot.none
  var told = Slot.none
  var toldLeader: ReplicaID?
  var contacts: [ReplicaID] = []
  var role = ManagerStatus.Role.forming
  var roleSince: UInt64 = 0
  var statusDue: UInt64 = 0
  var effects: [LogEffect] = []

  init(_ settings: ReplicationSettings, disk: ReplicaID) {
    self.settings = settings
    hello = PeerHello(
      cluster: nil, replica: disk, node: settings.node, address: settings.address,
      managersDigest: PeerHello.digest(of: settings.managers))
  }

  var milliseconds: Milliseconds { now / 1000 }

  /// Takes one thing that happens.
  ///
  /// - Parameters:
  ///   - input: what has happened.
  ///   - now: microseconds of a clock that runs while the machine sleeps, read when the input is taken up.
  /// - Returns: what is to be done, in order.
  mutating func handle(_ input: LogInput, at now: UInt64) -> [LogEffect] {
    self.now = max(self.now, now)
    if case .ended = condition { return [] }
    switch input {
    case .tick: tick()
    case .peer(let event): take(event)
    case .recovered(let state, let seed): recover(state, seed: seed)
    case .persisted(let write, let life): if life == self.life { drive(.persisted(upTo: write)) }
    case .diskFailed(let failure): fail(failure)
    case .append(let appended, let epoch): append(appended, in: epoch)
    case .unappendable(let reason): beginAgain(reason)
    case .read(let id): ask(.read(id))
    case .change(let id, let change): ask(.change(id, change))
    case .snapshotTaken(let slot, let octets): drive(.snapshotTaken(at: slot, state: octets))
    case .undecodable(let slot, let reason): end(Self.undecodable(slot, reason))
    case .resign: resign()
    }
    propose()
    defer { effects = [] }
    return effects
  }

  // MARK: The replica

  /// Gives the replica one input and carries out what it wants.
  mutating func drive(_ input: Paxos.Input) {
    let life = life
    let time = milliseconds
    for output in replica?.handle(input, at: time) ?? [] where life == self.life { take(output) }
  }

  mutating func nextRequest() -> UInt64 {
    lastRequest += 1
    return lastRequest
  }

  mutating func take(_ output: Paxos.Output) {
    switch output {
    case .persist(let batch):
      metrics.batches += 1
      effects.append(.persist(batch, life: life))
    case .send(let envelope): effects.append(.send(envelope))
    case .apply(let slot, let entry): apply(slot, entry)
    case .install(let snapshot): install(snapshot)
    case .snapshotWanted:
      // The manager's state is that of what it was told last; after a new beginning that may be further.
      if applied == told { tell(.event(.snapshotWanted(told.number))) }
    case .committed(let request, _), .readable(let request, _):
      if let question = questions.settle(request.number) { done(question) }
    case .refused(let request, let refusal): refuse(request.number, refusal)
    case .leading(let ballot): lead(Epoch(ballot))
    case .deposed: depose()
    case .rejected(_, let rejection): metrics.rejected[rejection.label, default: 0] += 1
    }
  }

  mutating func apply(_ slot: Slot, _ entry: Paxos.Entry) {
    applied = slot
    guard slot > told else { return }
    guard case .command(let octets) = entry else {
      told = slot
      if case .membership(let change) = entry {
        effects.append(.log(.info, "in slot \(slot.number): \(change)"))
      }
      return
    }
    if let own = line.land(octets) {
      metrics.record(commit: now - min(now, own.at))
      tell(.entry(slot, own.entry))
    } else if reign == nil {
      tell(.octets(slot, octets))
    } else {
      // Somebody led in between, and what waits here was judged without this entry.
      return beginAgain("another primary's entry was chosen between two ballots of this one")
    }
    told = slot
    metrics.entries += 1
  }

  mutating func install(_ snapshot: Paxos.Snapshot) {
    applied = snapshot.slot
    guard snapshot.slot > told else { return }
    guard reign == nil else {
      return beginAgain("another primary's snapshot came between two ballots of this one")
    }
    told = snapshot.slot
    tell(.snapshot(snapshot))
  }

  mutating func tell(_ telling: Telling) { effects.append(.tell(telling)) }
}

extension Envelope.Rejection {
  fileprivate var label: String {
    switch self {
    case .version: "version"
    case .cluster: "cluster"
    case .receiver: "receiver"
    case .outOfBounds: "out-of-bounds"
    }
  }
}
