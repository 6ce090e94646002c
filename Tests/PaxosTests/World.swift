import Paxos

/// A cluster in one thread, from one seed.
struct World {
  enum Event {
    case tick(Int, life: Int)
    case deliver(Envelope)
    case synced(Int, life: Int, WriteID)
    case claimedSynced(Int, life: Int, WriteID)
    case snapshot(Int, life: Int)
    case start(Int)
    case request
    case trouble
  }

  static let cluster = ClusterID(77)
  static let troubleEnds = 3_000
  static let requestsEnd = 4_600
  static let end = 6_000
  /// The true limits of clocks, in parts per thousand.
  static let drift = 100

  let seed: UInt64
  let bug: Bug?
  /// How long a disk takes to sync.
  let syncs: ClosedRange<Int>
  var chance: Chance
  var time = 0
  var agenda = Agenda<Event>()
  var network = SimulatedNetwork()
  var nodes: [SimulatedNode] = []
  var checker = Checker()
  private var requests: UInt64 = 0
  private var acknowledgedInTrouble = 0

  init(seed: UInt64, bug: Bug? = nil, syncs: ClosedRange<Int> = 1...6, isQuiet: Bool = false) {
    self.seed = seed
    self.bug = bug
    self.syncs = syncs
    chance = Chance(seed: seed)
    let count = [1, 2, 3, 3, 3, 3, 3, 5, 5, 5, 5, 5].randomElement(using: &chance) ?? 3
    let founders = (1...UInt64(count)).map { ReplicaID($0) }
    for founder in founders {
      addNode(DurableState(founding: Self.cluster, replica: founder, founders: founders))
    }
    agenda.add(.request, at: 50)
    agenda.add(.trouble, at: isQuiet ? Self.troubleEnds : 400)
  }

  var tuning: Tuning {
    var tuning = Tuning()
    tuning.lease = 400
    tuning.drift = bug == .leaseIgnoresDrift ? 0 : UInt64(Self.drift)
    tuning.heartbeat = 50
    tuning.retry = 60
    tuning.jitter = 60
    tuning.snapshotEntries = 20
    return tuning
  }

  mutating func addNode(_ state: DurableState) {
    nodes.append(
      SimulatedNode(
        id: state.replica, durable: state,
        drift: chance.happens(perThousand: 500) ? -Self.drift : Self.drift, offset: chance.number(0...100_000)
      ))
    agenda.add(.start(nodes.count - 1), at: time)
  }

  /// Runs to the end, or to the first finding.
  mutating func run() -> String? {
    while checker.finding == nil, let (due, event) = agenda.next(), due <= Self.end {
      time = due
      happen(event)
    }
    if checker.finding == nil {
      checker.ended(
        nodes.compactMap { $0.replica?.status },
        acknowledgedSince: checker.acknowledged - acknowledgedInTrouble)
    }
    return checker.finding.map { "seed \(seed), \(time) ms: \($0)" }
  }

  /// What a stopped process has to take up waits for it; its disk goes on.
  private mutating func waits(_ event: Event) -> Bool {
    let index: Int
    switch event {
    case .tick(let node, _), .claimedSynced(let node, _, _), .snapshot(let node, _): index = node
    case .synced(let node, let life, let write):
      if nodes[node].life == life { nodes[node].sync(upTo: write, bug: bug) }
      index = node
    case .deliver(let envelope): index = Int(envelope.to.number) - 1
    default: return false
    }
    guard nodes[index].stoppedUntil > time else { return false }
    agenda.add(event, at: nodes[index].stoppedUntil)
    return true
  }

  private mutating func happen(_ event: Event) {
    if waits(event) { return }
    switch event {
    case .tick(let index, let life):
      guard nodes[index].life == life else { return }
      input(.tick, to: index)
      agenda.add(event, at: time + 20)
    case .deliver(let envelope):
      // Replicas are numbered from 1 in the order in which they come.
      input(.received(envelope), to: Int(envelope.to.number) - 1)
    case .synced(let index, let life, let write):
      guard nodes[index].life == life else { return }
      input(.persisted(upTo: write), to: index)
    case .claimedSynced(let index, let life, let write):
      if nodes[index].life == life { input(.persisted(upTo: write), to: index) }
    case .snapshot(let index, let life):
      if nodes[index].life == life { takeSnapshot(of: index) }
    case .start(let index): start(index)
    case .request:
      guard time < Self.requestsEnd else { return }
      request()
      agenda.add(.request, at: time + chance.number(1...16))
    case .trouble:
      if time < Self.troubleEnds {
        trouble()
        agenda.add(.trouble, at: time + chance.number(20...250))
      } else {
        calm()
      }
    }
  }

  private mutating func calm() {
    network.calm()
    for index in nodes.indices where nodes[index].replica == nil { start(index) }
    acknowledgedInTrouble = checker.acknowledged
  }

  mutating func start(_ index: Int) {
    guard nodes[index].replica == nil else { return }
    nodes[index].life += 1
    nodes[index].machine = RegisterMachine()
    (nodes[index].diskFree, nodes[index].sync) = (time, time...time)
    do {
      nodes[index].replica = try Replica(
        recovering: nodes[index].durable, cluster: Self.cluster,
        contacts: nodes.map(\.id).filter { $0.number <= 5 },
        tuning: tuning, seed: chance.next())
    } catch {
      return checker.fail("replica \(nodes[index].id.number) does not start: \(error)")
    }
    agenda.add(.tick(index, life: nodes[index].life), at: time + chance.number(0...20))
  }

  /// A process ends; of what was not synced, some may have reached the disk, in order.
  mutating func crash(_ index: Int, back delay: Int) {
    guard nodes[index].replica != nil else { return }
    nodes[index].replica = nil
    nodes[index].life += 1
    nodes[index].stoppedUntil = time
    if let batch = nodes[index].unsynced.randomElement(using: &chance), chance.happens(perThousand: 300) {
      nodes[index].sync(upTo: batch.id, bug: bug)
    }
    nodes[index].unsynced = []
    agenda.add(.start(index), at: time + delay)
  }

  private mutating func request() {
    requests += 1
    let request = RequestID(requests)
    // Half of them go to whoever believes to lead, so that a deposed leader is asked, too.
    let leaders = nodes.indices.filter { nodes[$0].replica?.status.role == .leader }
    let index =
      chance.happens(perThousand: 700)
      ? leaders.randomElement(using: &chance) : nodes.indices.randomElement(using: &chance)
    guard let index, nodes[index].replica != nil, nodes[index].stoppedUntil <= time else { return }
    if chance.happens(perThousand: 500) { return input(.read(request), to: index) }
    let command = RegisterMachine.octets(requests)
    checker.proposed(request, command)
    input(.propose(request, command), to: index)
  }

  mutating func input(_ input: Input, to index: Int) {
    let now = nodes[index].clock(time)
    guard let outputs = nodes[index].replica?.handle(input, at: now) else { return }
    for output in outputs { carryOut(output, of: index) }
    // Only an input to a holder can make two of one.
    guard nodes[index].replica?.holdsLease(at: now) == true else { return }
    let holders = nodes.filter { $0.replica?.holdsLease(at: $0.clock(time)) == true }.map(\.id)
    checker.leaseholders(holders)
  }

  private mutating func carryOut(_ output: Output, of index: Int) {
    let id = nodes[index].id
    switch output {
    case .persist(let batch): persist(batch, of: index)
    case .send(let envelope):
      for delay in network.delays(of: envelope, &chance) { agenda.add(.deliver(envelope), at: time + delay) }
    case .apply(let slot, let entry):
      nodes[index].before = nodes[index].machine
      nodes[index].machine.apply(entry, at: slot)
      checker.applied(entry, at: slot, by: id, state: nodes[index].machine)
    case .install(let snapshot):
      guard let machine = RegisterMachine(snapshot.state) else {
        return checker.fail("snapshot cannot be read")
      }
      nodes[index].machine = machine
      checker.installed(machine, at: snapshot.slot, by: id)
    case .snapshotWanted: agenda.add(.snapshot(index, life: nodes[index].life), at: time)
    case .committed(let request, let slot): checker.committed(request, at: slot)
    case .readable(_, let slot): checker.read(at: slot, by: id, state: nodes[index].machine)
    case .refused(let request, let refusal): checker.refused(request, refusal)
    case .rejected(let sender, let rejection):
      checker.fail("replica \(id.number) rejects a message of \(sender.number): \(rejection)")
    case .leading, .deposed: break
    }
  }

  private mutating func persist(_ batch: WriteBatch, of index: Int) {
    nodes[index].unsynced.append(batch)
    let end = nodes[index].syncEnd(at: time, duration: chance.number(syncs))
    agenda.add(.synced(index, life: nodes[index].life, batch.id), at: end)
    if bug == .answersBeforeSync {
      agenda.add(.claimedSynced(index, life: nodes[index].life, batch.id), at: time)
    }
  }

  private mutating func takeSnapshot(of index: Int) {
    var machine = nodes[index].machine
    if bug == .snapshotLosesLastEntry {
      machine = nodes[index].before
      machine.slot = nodes[index].machine.slot
    }
    input(.snapshotTaken(at: machine.slot, state: machine.octets), to: index)
  }
}
