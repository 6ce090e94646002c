import Control
import Manager
import Paxos

/// A data centre's control plane in one thread, from one seed.
struct World {
  enum Event: Sendable {
    case tick(Int, life: Int)
    case envelope(Envelope)
    case synced(Int, life: Int, WriteID)
    case claimedSynced(Int, life: Int, WriteID)
    case stages(Int, life: Int)
    case start(Int)
    case resume(Int)
    case request(Ticket, manager: Int)
    case answer(Ticket, Answer, manager: Int)
    case down(Int)
    case up(Int)
    case agent(Int, life: Int)
    case startAgent(Int)
    case client(Int, turn: Int)
    case trouble
    case blackout
    case mend(Int)
    case calmNetwork(Int)
    case review
  }

  static let cluster = ClusterID(77)

  let bug: Bug?
  let rates: FaultRates
  let plan: Plan
  let book = Codebook()
  var chance: Chance
  var time: Moment = 0
  var agenda = Agenda<Event>()
  var network = SimulatedNetwork()
  var machines: [ManagerMachine] = []
  var agents: [AgentProcess] = []
  var clients: [ClientProcess] = []
  var streams: [Stream] = []

  var log: LogCheck
  var history = History()
  var fencing: FencingCheck
  var ports: PortCheck
  var counts = Counts()
  var trace: Trace
  var finding: Finding?

  /// On which machine a replica lives, or lived.
  var directory: [ReplicaID: Int] = [:]
  /// The faults are over.
  var isCalm = false
  /// Counts changes of the network, so that the end of one trouble does not end a later one.
  var cutsMade = 0
  var weatherChanges = 0
  /// Updates may stay in the network's queues until then.
  var lateUntil: Moment = 0
  var acknowledgedInCalm = 0
  var administrations: UInt64 = ManagerProcess.firstAdministration
  /// The bound of all clocks' drift, parts per thousand.
  var clockBound: Int { plan.clockBound }

  /// A life that is drawn, with its troubles.
  init(seed: UInt64, bug: Bug? = nil, rates: FaultRates = .all, keepsTrace: Bool = false) {
    var chance = Chance(seed: seed)
    let plan = Plan(&chance)
    self.init(plan, chance, bug: bug, rates: rates, keepsTrace: keepsTrace)
    agenda.add(.trouble, at: .milliseconds(2_500))
  }

  /// A life in which nothing goes wrong by itself.
  init(_ plan: Plan, _ chance: Chance, bug: Bug? = nil, rates: FaultRates = .none, keepsTrace: Bool = false) {
    self.plan = plan
    self.chance = chance
    self.bug = bug
    self.rates = rates
    trace = Trace(keepsLines: keepsTrace)
    log = LogCheck(founders: plan.founderIDs)
    fencing = FencingCheck(agents: plan.workload.nodeNames.count)
    ports = PortCheck(agents: plan.workload.nodeNames.count)
    populate()
  }

  /// Runs to the end, or to the first finding, or until so much time has passed.
  mutating func run(until end: Moment = .max) {
    while finding == nil, let (due, event) = agenda.next() {
      if case .review = event, hasConverged(at: due) { return }
      guard due <= end else { return agenda.add(event, at: due) }
      time = due
      counts[.events] += 1
      trace.mix(UInt64(due))
      happen(event)
    }
  }

  mutating func fail(_ rule: Finding.Rule, _ text: String) {
    finding = finding ?? Finding(rule: rule, text: text)
  }

  /// Runs a check that may find something.
  mutating func check<Result>(_ body: (inout World) throws(Finding) -> Result) -> Result? {
    do {
      return try body(&self)
    } catch {
      finding = finding ?? error
      return nil
    }
  }

  mutating func note(_ text: @autoclosure () -> String) { trace.note(time, text()) }

  // MARK: Events

  private mutating func happen(_ event: Event) {
    switch event {
    case .tick(let index, let life):
      guard isAwake(index, life, event) else { return }
      step(index) { process, now in process.tick(now) }
      agenda.add(event, at: time + plan.tick)
    case .envelope(let envelope): deliver(envelope, event)
    case .synced(let index, let life, let write):
      guard machines[index].life == life else { return }
      machines[index].disk.sync(upTo: write, bug: bug)
      agenda.add(.claimedSynced(index, life: life, write), at: time)
    case .claimedSynced(let index, let life, let write):
      guard isAwake(index, life, event) else { return }
      step(index) { process, now in process.handle(.persisted(upTo: write), now) }
    case .stages(let index, let life):
      guard machines[index].life == life, machines[index].stagesAt.map({ $0 <= time }) ?? false,
        isAwake(index, life, event)
      else { return }
      machines[index].stagesAt = nil
      step(index) { process, now in process.work(now) }
    case .start(let index): start(index)
    case .resume(let index): if machines[index].suspendedUntil <= time { resume(index) }
    case .request(let ticket, let manager): deliver(ticket, to: manager, event)
    case .answer(let ticket, let answer, let manager): deliver(answer, to: ticket, from: manager)
    case .down(let stream): deliverDown(stream)
    case .up(let stream): deliverUp(stream, event)
    case .agent(let index, let life): wake(agent: index, life)
    case .startAgent(let index): startAgent(index)
    case .client(let index, let turn): if clients[index].turn == turn { wake(client: index) }
    case .trouble: trouble()
    case .blackout: blackout()
    case .mend(let number): if number == cutsMade { network.heal() }
    case .calmNetwork(let number): if number == weatherChanges { network.calm() }
    case .review: agenda.add(.review, at: time + .milliseconds(500))
    }
  }

  /// Whether a process can take an event now; one that is stopped takes it when it goes on.
  func isRunning(_ index: Int, _ life: Int) -> Bool {
    machines[index].life == life && machines[index].process != nil
  }

  mutating func isAwake(_ index: Int, _ life: Int, _ event: Event) -> Bool {
    guard isRunning(index, life) else { return false }
    guard machines[index].suspendedUntil > time else { return true }
    if machines[index].heldBack.count < Limits.eventsPerSuspension { machines[index].heldBack.append(event) }
    return false
  }

  private mutating func deliver(_ envelope: Envelope, _ event: Event) {
    guard let index = directory[envelope.to], isAwake(index, machines[index].life, event) else { return }
    step(index) { process, now in process.handle(.received(envelope), now) }
  }
}
