import Control
import Manager
import Paxos
import SEDA

/// One running manager: the product's replica, state machine and stages, joined as the shell joins them.
///
/// - What the log tells is taken by one work of VIP configuration at a time, in order.
/// - An operator's request is validated only when the log has confirmed that all acknowledged before it has been
///   taken: an answer that changes nothing is a read, too.
/// - What the manager appends while it does not know yet that it was deposed is not given to the log, which may
///   have been won again meanwhile.
final class ManagerProcess {
  enum Effect {
    case persist(WriteBatch)
    case send(Envelope)
    case answer(Ticket, Answer)
    case tell(stream: Int, Stream.Downward)
    case seen(Sight)
  }

  /// What the log tells, in order.
  enum Told {
    case entry(Slot, Paxos::Entry)
    case installed(Snapshot)
    case leading(Ballot)
    case deposed
    /// Another leads, perhaps; told whenever that changes, so that operators and agents are sent the right way.
    case follows(ReplicaID?)
    case snapshotWanted
    case readable(UInt64)
    case unreadable(UInt64, Refusal)
    case administered
  }

  /// Requests from this number on are about who votes and who leads.
  static let firstAdministration: UInt64 = 1 << 40

  /// The present, as the machine has it.
  struct Now {
    var time: Moment
    var clock: Milliseconds
    /// Milliseconds since 1970, by the clock on the wall.
    var wall: UInt64
  }

  let id: ReplicaID
  let book: Codebook
  let bug: Bug?
  var replica: Replica
  var manager = Manager(ManagerState())
  var desk: StageDesk
  var streams = AgentStreams()
  var chance: Chance
  var effects: [Effect] = []

  private var told: [Told] = []
  private var isTaking = false
  private var depositionsToTake = 0
  /// Of whom the manager was told last that it leads.
  private var toldLeader: ReplicaID?
  /// The last slot that the manager has taken.
  private var takenSlot = Slot.none
  /// As which the manager believes to be primary.
  private(set) var epoch: Epoch?
  /// The state before the last entry; kept for one bug only.
  private var former = ManagerState()
  private var requests: [UInt64: Ticket] = [:]
  private var lastID: UInt64 = 0
  private var nextManagerTick: Milliseconds = 0

  init(_ replica: Replica, book: Codebook, bug: Bug?, seed: UInt64) {
    id = replica.id
    self.replica = replica
    self.book = book
    self.bug = bug
    desk = StageDesk(seed: seed)
    chance = Chance(seed: seed)
  }

  /// Operators who wait for an answer.
  var openRequests: Int { requests.count }

  /// Takes what it has done out of it.
  func takeEffects() -> [Effect] {
    let result = effects
    effects = []
    return result
  }

  // MARK: What happens

  func handle(_ input: Paxos::Input, _ now: Now) {
    for output in replica.handle(input, at: now.clock) { carryOut(output) }
    configure(now)
  }

  func tick(_ now: Now) {
    let leader = replica.status.leader
    if leader != toldLeader {
      toldLeader = leader
      told.append(.follows(leader))
    }
    handle(.tick, now)
    for (stream, report) in streams.due(at: now.time) { offer(report, of: stream, now) }
    guard now.clock >= nextManagerTick else { return }
    nextManagerTick = now.clock + 1000
    feed(.tick(milliseconds: now.clock, wallMilliseconds: now.wall), now)
    for stream in streams.silent(at: now.time) { end(stream, now) }
  }

  /// An operator asks.
  func take(_ ticket: Ticket, _ now: Now) {
    switch ticket.call {
    case .change(.delete):
      submit(.request(ticket), key: "operator \(ticket.client)", .vipValidation, .high, now)
    case .change, .dryRun:
      submit(.request(ticket), key: "operator \(ticket.client)", .vipValidation, .normal, now)
    case .state: submit(.request(ticket), key: "operator \(ticket.client)", .hostAgentManagement, .low, now)
    case .recall: submit(.request(ticket), key: "operator \(ticket.client)", .vipValidation, .high, now)
    case .wait: ask(ticket, now)
    case .letGo(let attempt):
      guard let wait = requests.first(where: { $0.value.attempt == attempt }) else { return }
      requests[wait.key] = nil
      feed(.endWait(Manager::RequestID(wait.key)), now)
    }
  }

  /// Lets the stages work on.
  func work(_ now: Now) {
    for step in desk.advance(to: now.time) {
      switch step {
      case .done(.configure):
        isTaking = false
        takeTold(now)
      case .done(.request(let ticket)): ask(ticket, now)
      case .done(.report(let report, let stream)):
        take(report, from: stream, now)
        if let next = streams.finished(stream) { offer(next, of: stream, now) }
      case .expired(.request(let ticket)): shed(ticket, milliseconds: 1000)
      case .expired(.report(_, let stream)):
        if let next = streams.finished(stream) { offer(next, of: stream, now) }
      case .expired(.configure):
        isTaking = false
        configure(now)
      }
    }
  }

  // MARK: Stages

  func submit(
    _ task: StageDesk.Task, key: String, _ stage: Stage, _ priority: Priority, _ now: Now
  ) {
    guard let milliseconds = desk.submit(task, key: key, stage, priority, at: now.time) else { return }
    switch task {
    case .request(let ticket): shed(ticket, milliseconds: milliseconds)
    case .report(let report, let stream): hold(report, of: stream, milliseconds, now)
    case .configure: isTaking = false
    }
  }

  private func shed(_ ticket: Ticket, milliseconds: UInt32) {
    effects.append(.seen(.shed))
    let error = ManagementError.overloaded(
      reason: "too much is under way", retryAfterMilliseconds: milliseconds)
    effects.append(.answer(ticket, .failed(error)))
  }

  /// What the log has told waits for one work of VIP configuration, which takes all of it.
  private func configure(_ now: Now) {
    guard !isTaking, !told.isEmpty else { return }
    isTaking = true
    submit(.configure, key: "log", .vipConfiguration, .high, now)
  }

  // MARK: The log

  private func carryOut(_ output: Paxos::Output) {
    switch output {
    case .persist(let batch): effects.append(.persist(batch))
    case .send(let envelope): effects.append(.send(envelope))
    case .apply(let slot, let entry):
      effects.append(.seen(.applied(slot, entry)))
      told.append(.entry(slot, entry))
    case .install(let snapshot): told.append(.installed(snapshot))
    case .snapshotWanted: told.append(.snapshotWanted)
    case .leading(let ballot):
      effects.append(.seen(.leading(ballot)))
      told.append(.leading(ballot))
    case .deposed:
      effects.append(.seen(.deposed))
      depositionsToTake += 1
      told.append(.deposed)
    case .readable(let request, _): told.append(.readable(request.number))
    case .refused(let request, let refusal):
      refused(request.number, refusal)
    case .committed(let request, _):
      if request.number >= Self.firstAdministration { told.append(.administered) }
    case .rejected(let sender, let rejection): effects.append(.seen(.rejected(from: sender, rejection)))
    }
  }

  private func refused(_ number: UInt64, _ refusal: Refusal) {
    if requests[number] != nil { return told.append(.unreadable(number, refusal)) }
    guard number < Self.firstAdministration else {
      return effects.append(.seen(.administrationRefused(refusal)))
    }
    // What becomes of proposals the manager learns by being deposed; no other refusal can happen to so few.
    switch refusal {
    case .notLeader, .uncertain: break
    default: effects.append(.seen(.proposalRefused(refusal)))
    }
  }

  private func takeTold(_ now: Now) {
    let items = told
    told = []
    var run: [CommittedEntry] = []
    for item in items {
      guard case .entry(let slot, let entry) = item else {
        commit(&run, now)
        take(item, now)
        continue
      }
      takenSlot = slot
      guard case .command(let octets) = entry, let entry = book.entry(octets) else { continue }
      let revision = Revision(manager.state.revision.number + UInt64(run.count) + 1)
      run.append(CommittedEntry(revision: revision, entry: entry))
      effects.append(.seen(.taken(entry: Codebook.index(octets), revision)))
      if bug == .snapshotLosesLastEntry {
        former = manager.state
        commit(&run, now)
      }
    }
    commit(&run, now)
    configure(now)
  }

  private func commit(_ run: inout [CommittedEntry], _ now: Now) {
    guard !run.isEmpty else { return }
    feed(.committed(run), now)
    run = []
    effects.append(.seen(.state(manager.state, isWhole: false)))
  }

  private func take(_ item: Told, _ now: Now) {
    switch item {
    case .entry: break
    case .installed(let snapshot):
      guard let state = book.state(snapshot.state) else { return }
      takenSlot = snapshot.slot
      feed(.installed(state), now)
      effects.append(.seen(.state(manager.state, isWhole: true)))
    case .leading(let ballot):
      let epoch = Epoch(ballot.round, replica: ballot.replica.number)
      self.epoch = epoch
      effects.append(.seen(.tookLeadership))
      feed(.becamePrimary(epoch), now)
    case .deposed:
      depositionsToTake -= 1
      epoch = nil
      effects.append(.seen(.tookDeposition))
      feed(.lostPrimary(address: replica.status.leader.map { String($0.number) }), now)
    case .follows(let leader):
      if epoch == nil { feed(.lostPrimary(address: leader.map { String($0.number) }), now) }
    case .snapshotWanted: takeSnapshot(now)
    case .readable(let number): answer(number, now)
    case .administered:
      feed(.note("the managers were changed", by: Author(name: "administrator", at: now.wall)), now)
    case .unreadable(let number, let refusal):
      guard let ticket = requests.removeValue(forKey: number) else { return }
      effects.append(.answer(ticket, .failed(Self.error(refusal))))
    }
  }

  private static func error(_ refusal: Refusal) -> ManagementError {
    guard case .notLeader(let leader) = refusal else {
      return .overloaded(reason: "the lease is being renewed", retryAfterMilliseconds: 100)
    }
    return .notPrimary(address: leader.map { String($0.number) })
  }

  private func takeSnapshot(_ now: Now) {
    var snapshot = ManagerSnapshot(manager.state)
    if bug == .snapshotLosesLastEntry {
      snapshot = ManagerSnapshot(former)
      snapshot.revision = manager.state.revision
    }
    effects.append(.seen(.snapshotTaken))
    let octets = book.octets(of: snapshot)
    for output in replica.handle(.snapshotTaken(at: takenSlot, state: octets), at: now.clock) {
      carryOut(output)
    }
  }

  // MARK: Operators

  /// Asks the log whether all that was acknowledged has been taken; the request goes on when it has.
  private func ask(_ ticket: Ticket, _ now: Now) {
    lastID += 1
    requests[lastID] = ticket
    switch ticket.call {
    case .change, .dryRun: if bug == .idleAnswerUnconfirmed { return answer(lastID, now) }
    case .state, .wait, .recall, .letGo: break
    }
    handle(.read(Paxos::RequestID(lastID)), now)
  }

  private func answer(_ number: UInt64, _ now: Now) {
    guard let ticket = requests[number] else { return }
    let id = Manager::RequestID(number)
    let author = Author(name: "operator \(ticket.client)", at: UInt64(ticket.attempt))
    switch ticket.call {
    case .change(let operation): feed(.request(id, operation, dryRun: false, by: author), now)
    case .dryRun(let operation): feed(.request(id, operation, dryRun: true, by: author), now)
    case .state: close(number, .state(manager.clusterState().revision))
    case .wait(let revision): feed(.wait(id, revision), now)
    case .recall(let recall): feed(.recall(id, recall, by: author), now)
    case .letGo: break
    }
  }

  private func close(_ number: UInt64, _ answer: Answer) {
    guard let ticket = requests.removeValue(forKey: number) else { return }
    effects.append(.answer(ticket, answer))
  }

  // MARK: The manager

  func feed(_ input: Manager::Input, _ now: Now) {
    for output in manager.handle(input) { carryOut(output, now) }
  }

  private func carryOut(_ output: Manager::Output, _ now: Now) {
    switch output {
    case .append(let entry): append(entry, now)
    case .draw: feed(.drawn(low: chance.next(), high: chance.next()), now)
    case .reply(let id, let outcome): close(id.number, .outcome(outcome))
    case .fail(let id, let error): close(id.number, .failed(error))
    case .accept(let session): tell(session, .accepted)
    case .refuse(let session, let error):
      tell(session, .refused(error))
      streams.forget(session)
    case .send(let update, let session):
      effects.append(.seen(.ordered(update)))
      tell(session, .update(update))
      streams.told(session, at: now.time)
      believe(update, session, now)
    case .refusePorts(let refusal, let session): tell(session, .portRefusal(refusal))
    case .recalled(let id, let count): close(id.number, .recalled(count))
    case .close(let session, _):
      tell(session, .ended)
      streams.forget(session)
    case .endWait(let id):
      guard case .wait(let revision)? = requests[id.number]?.call else { return }
      effects.append(.seen(.waitEnded(revision, manager.state)))
      close(id.number, .waited(revision))
    case .progress, .event: break
    }
  }

  /// For one bug only: what a MUX is sent counts as carried out.
  private func believe(_ update: Update, _ session: SessionID, _ now: Now) {
    guard bug == .grantBeforeMuxes, let node = streams.stream(of: session).flatMap(streams.node),
      manager.state.desired.nodes[node.name]?.roles.contains(.mux) == true
    else { return }
    feed(.report(.acknowledged(update.revision, update.epoch), session), now)
  }

  private func append(_ entry: Manager::Entry, _ now: Now) {
    guard depositionsToTake == 0 else { return }
    let octets = book.octets(of: entry)
    lastID += 1
    for output in replica.handle(.propose(Paxos::RequestID(lastID), octets), at: now.clock) {
      carryOut(output)
    }
    configure(now)
  }

  private func tell(_ session: SessionID, _ item: Stream.Downward) {
    if let stream = streams.stream(of: session) { effects.append(.tell(stream: stream, item)) }
  }
}
