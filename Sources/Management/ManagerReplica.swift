public import Control
import Dispatch
import Foundation
public import Logging
public import Manager
import SEDA
import Synchronization

/// One running manager: the state machine joined to its log on the one side and to operators and agents on
/// the other.
///
/// The state machine is a value under one lock. All that is done with it is work of a stage, done by the threads of one
/// pool in the order of `docs/seda.md`; nobody holds a thread while he waits.
public final class ManagerReplica: ManagementService {
  private let log: any ReplicatedLog
  private let logger: Logger
  let desk: Mutex<Desk>
  let pool: StagePool
  /// What the log has told and nobody has taken yet.
  private let told = Mutex<(events: [Manager::LogEvent], isUnderWay: Bool)>(([], false))
  private let start = ContinuousClock.now
  private let tasks = Mutex<[Task<Void, Never>]>([])

  /// Begins to serve; as primary as soon as the log says so.
  public convenience init(log: any ReplicatedLog, logger: Logger) {
    self.init(log: log, logger: logger, pool: StagePool(workers: Limits.workers))
  }

  /// The same over a given pool.
  init(log: any ReplicatedLog, logger: Logger, pool: StagePool) {
    self.log = log
    self.logger = logger
    self.pool = pool
    desk = Mutex(Desk(log))
    let events = log.events
    let listener = Task { [weak self] in
      for await event in events { self?.gather(event) }
    }
    let ticker = Task { [weak self] in
      while !Task.isCancelled {
        try? await Task.sleep(for: Limits.tick)
        self?.tick()
      }
    }
    tasks.withLock { $0 = [listener, ticker] }
  }

  /// Answers everybody and ends all streams; agents go on forwarding.
  public func stop() async {
    let (tasks, sentences) = (self.tasks.withLock { $0 }, desk.withLock { $0.stop() })
    for task in tasks { task.cancel() }
    say(sentences)
    pool.stop()
  }

  /// Everything that is counted: the stages, and the log.
  public func counters() -> [Counter] { pool.counters + log.counters() }

  // MARK: Operators

  /// Validates an operation and, unless it is a dry run or refused, makes it durable and pushes it to the
  /// nodes.
  public func perform(_ operation: Control::Operation, dryRun: Bool, by identity: Identity)
    async throws(ManagementError) -> Outcome
  {
    let epoch = desk.withLock { $0.epoch }
    let outcome = try await judgement(operation, dryRun: dryRun, by: identity)
    let isChange = !dryRun && outcome.changes.contains { $0.action != .unchanged }
    if !isChange { try await confirm(since: epoch) }
    return outcome
  }

  /// An answer that changes nothing is a read: it must not come from one that was deposed and does not know it.
  func confirm(since epoch: Epoch?) async throws(ManagementError) {
    if let error = await confirmation() { throw explained(error) }
    guard desk.withLock({ $0.epoch }) == epoch else { throw .notPrimary(address: nil) }
  }

  private func judgement(_ operation: Control::Operation, dryRun: Bool, by identity: Identity)
    async throws(ManagementError) -> Outcome
  {
    guard !desk.withLock({ $0.isStopped }) else { throw .notPrimary(address: nil) }
    let author = author(identity)
    let answer = await withCheckedContinuation { (continuation: CheckedContinuation<Desk.Answer, Never>) in
      let id = desk.withLock { desk in
        let id = RequestID(desk.nextID())
        desk.begin(id, continuation)
        return id
      }
      let key = StageKey(identity, request: id.number)
      let admission = pool.offer(key, to: .vipValidation, operation.priority) {
        self.fail(id, Self.expired(.vipValidation))
      } run: {
        self.judge(id, operation, dryRun: dryRun, by: author)
      }
      if let error = error(admission, .vipValidation) { fail(id, error) }
    }
    do throws(ManagementError) {
      return try answer.get()
    } catch {
      throw explained(error)
    }
  }

  /// Who is no primary since its disk is full should say so.
  func explained(_ error: ManagementError) -> ManagementError {
    guard error == .notPrimary(address: nil), let obstacle = log.obstacle else { return error }
    return .unavailable(reason: obstacle)
  }

  private func judge(_ id: RequestID, _ operation: Control::Operation, dryRun: Bool, by author: Author) {
    // Its octets are counted before the lock is taken, since that takes long for a large one.
    if let objection = log.objection(to: .operation(operation, by: author)) { return fail(id, objection) }
    feed(.request(id, operation, dryRun: dryRun, by: author))
  }

  /// The data centre as it is now: all that was acknowledged before the question is in the answer.
  public func state() async throws(ManagementError) -> ClusterState {
    try await read { $0.clusterState() }
  }

  /// Who changed what, the newest last.
  public func auditRecords() async throws(ManagementError) -> [AuditRecord] {
    try await read { $0.state.auditRecords }
  }

  /// Asks the log whether this state is the newest, then looks, as work that nobody else has to wait for.
  private func read<Value: Sendable>(_ look: @escaping @Sendable (Manager) -> Value)
    async throws(ManagementError) -> Value
  {
    if let error = await confirmation() { throw explained(error) }
    // A copy, so that a large listing keeps nobody from the lock.
    return try await pass(.request(nextID()), .hostAgentManagement, .low) {
      look(self.desk.withLock { $0.manager })
    }
  }

  /// Asks the log whether all that was acknowledged so far has been told; nil if it has.
  private func confirmation() async -> ManagementError? {
    await withCheckedContinuation { continuation in
      let isTaken = desk.withLock { desk in
        guard !desk.isStopped else { return false }
        return desk.read(desk.nextID(), continuation)
      }
      if !isTaken { continuation.resume(returning: tooManyReads) }
    }
  }

  private var tooManyReads: ManagementError {
    guard !desk.withLock({ $0.isStopped }) else { return .notPrimary(address: nil) }
    return .overloaded(
      reason: "\(Limits.reads) readers wait for the log",
      retryAfterMilliseconds: Limits.readRetryMilliseconds)
  }

  /// Follows a revision on its way to the nodes.
  public func wait(for revision: Revision) async throws(ManagementError) -> AsyncStream<WaitProgress> {
    let id = RequestID(nextID())
    let (stream, continuation) = AsyncStream<WaitProgress>.makeStream(
      bufferingPolicy: .bufferingNewest(Limits.progressPerWait))
    try await pass(.request(id.number), .vipConfiguration, .normal) {
      self.desk.withLock { $0.begin(id, continuation) }
      self.feed(.wait(id, revision))
    }
    if let error = desk.withLock({ $0.outcome(of: id.number) }) { throw error }
    continuation.onTermination = { [weak self] _ in
      guard let self else { return }
      self.insist(.request(id.number), .vipConfiguration, .normal) { self.endWait(id) }
    }
    return stream
  }

  private func endWait(_ id: RequestID) {
    if desk.withLock({ $0.forget(id) }) { feed(.endWait(id)) }
  }

  // MARK: Managers

  /// The managers as this one knows them; also without a primary.
  public func managers() async -> ManagerGroup {
    var group = await log.group()
    group.counters = counters()
    return group
  }

  /// Gives or takes votes, or hands leadership over; returns when that is durable, or done.
  public func change(_ change: ManagerChange, by identity: Identity) async throws(ManagementError) {
    guard change.name.utf8.count <= Control.Limits.nameLength else {
      throw .refused(reason: "a manager's name has \(Control.Limits.nameLength) octets at most")
    }
    let note = Input.note(change.note, by: author(identity))
    // Whoever has handed leadership over writes nothing any more, so that is noted before.
    var isNoted = false
    if case .transfer(let node) = change {
      isNoted = true
      if await mayLead(node) { await carry(.manager, .vipValidation, .high) { self.feed(note) } }
    }
    let error = await withCheckedContinuation {
      (continuation: CheckedContinuation<ManagementError?, Never>) in
      desk.withLock { desk in
        guard !desk.isStopped else { return continuation.resume(returning: .notPrimary(address: nil)) }
        desk.change(desk.nextID(), change, continuation)
      }
    }
    if let error { throw explained(error) }
    logger.notice("\(identity.name): \(change.note)")
    if !isNoted { await carry(.manager, .vipValidation, .high) { self.feed(note) } }
  }

  private func mayLead(_ node: String) async -> Bool {
    let replica = UInt64(node, radix: 16)
    return await log.group().managers.contains {
      $0.isVoter && $0.role != .leader && ($0.node == node || $0.replica == replica)
    }
  }

  // MARK: Agents

  /// Accepts an agent's stream.
  public func attach(_ hello: Hello) async throws(ManagementError) -> AgentSession {
    let id = SessionID(nextID())
    // The manager sends one update and waits for its acknowledgement before the next; what comes on top are refusals,
    // one for each request of an agent that does not listen.
    let (messages, continuation) = AsyncStream<ManagerMessage>.makeStream(
      bufferingPolicy: .bufferingOldest(Limits.messagesPerStream))
    let isMux = hello.roles.contains(.mux)
    try await pass(.node(hello.node), isMux ? .muxPoolManagement : .hostAgentManagement, .normal) {
      let session = Desk.Session(node: hello.node, isMux: isMux, messages: continuation)
      self.desk.withLock { $0.begin(id, session) }
      self.feed(.connected(hello, id))
    }
    if let error = desk.withLock({ $0.outcome(of: id.number) }) { throw error }
    return AgentSession(id: id, messages: messages)
  }

  /// Takes what the agent says on its stream; returns when it is done, so that nothing overtakes it.
  ///
  /// What a stage has no room for is offered again; statistics are dropped then, since newer ones come.
  public func report(_ report: Report, from session: SessionID) async {
    guard let (node, isMux) = desk.withLock({ $0.sessions[session].map { ($0.node, $0.isMux) } }) else {
      return
    }
    if case .portRequest(let request) = report { return take(request, of: node, from: session) }
    let (stage, priority) = report.place(isMux: isMux)
    if case .statistics = report {
      _ = pool.offer(.node(node), to: stage, priority, expire: {}) { self.feed(.report(report, session)) }
    } else {
      await carry(.node(node), stage, priority) { self.feed(.report(report, session)) }
    }
  }

  /// The agent's stream has ended.
  public func detach(_ session: SessionID) async {
    guard let ended = desk.withLock({ $0.sessions[session] }) else { return }
    await carry(.node(ended.node), ended.isMux ? .muxPoolManagement : .hostAgentManagement, .normal) {
      self.desk.withLock { $0.end(session) }
      self.feed(.disconnected(session))
    }
  }

  // MARK: The log

  /// Everything the log has told is taken up by one work at a time, in order.
  private func gather(_ event: Manager::LogEvent) {
    let isFirst = told.withLock { told in
      told.events.append(event)
      defer { told.isUnderWay = true }
      return !told.isUnderWay
    }
    if isFirst { insist(.manager, .vipConfiguration, .high) { self.takeTold() } }
  }

  private func takeTold() {
    let events = told.withLock { told in
      defer { told.events = [] }
      return told.events
    }
    for event in events { say(desk.withLock { $0.isStopped ? [] : $0.take(event) }) }
    let goesOn = told.withLock { told in
      told.isUnderWay = !told.events.isEmpty
      return told.isUnderWay
    }
    // What came meanwhile is new work, so that others of this rank have their turns.
    if goesOn { insist(.manager, .vipConfiguration, .high) { self.takeTold() } }
  }

  // MARK: The way through the stages

  /// Does work in a stage; throws if the stage does not take it, or not in time.
  private func pass<Value: Sendable>(
    _ key: StageKey, _ stage: Stage, _ priority: Priority, _ work: @escaping @Sendable () -> Value
  ) async throws(ManagementError) -> Value {
    guard !desk.withLock({ $0.isStopped }) else { throw .notPrimary(address: nil) }
    let result = await withCheckedContinuation {
      (continuation: CheckedContinuation<Result<Value, ManagementError>, Never>) in
      let admission = pool.offer(key, to: stage, priority) {
        continuation.resume(returning: .failure(Self.expired(stage)))
      } run: {
        continuation.resume(returning: .success(work()))
      }
      if let error = error(admission, stage) { continuation.resume(returning: .failure(error)) }
    }
    return try result.get()
  }

  /// Does work in a stage, however long it takes to get in.
  private func carry(
    _ key: StageKey, _ stage: Stage, _ priority: Priority, _ work: @escaping @Sendable () -> Void
  ) async {
    await withCheckedContinuation { continuation in
      insist(key, stage, priority) {
        work()
        continuation.resume()
      }
    }
  }

  /// Offers work until it is done, each time when the stage has said that it would have room.
  private func insist(
    _ key: StageKey, _ stage: Stage, _ priority: Priority, _ work: @escaping @Sendable () -> Void
  ) {
    // Who ends has no threads any more, and nothing to decide.
    guard !pool.isStopped else { return DispatchQueue.global().async(execute: work) }
    let admission = pool.offer(
      key, to: stage, priority, expire: { self.insist(key, stage, priority, work) }, run: work)
    guard case .shed(_, let milliseconds) = admission else { return }
    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(Int(milliseconds))) {
      self.insist(key, stage, priority, work)
    }
  }

  func error(_ admission: Admission, _ stage: Stage) -> ManagementError? {
    guard case .shed(let reason, let milliseconds) = admission else { return nil }
    return .overloaded(reason: reason.sentence(stage), retryAfterMilliseconds: milliseconds)
  }

  static func expired(_ stage: Stage) -> ManagementError {
    .overloaded(
      reason: "it waited too long in the stage \(stage.name), and nothing was done",
      retryAfterMilliseconds: UInt32(Limits.sleepMilliseconds))
  }

  func fail(_ id: RequestID, _ error: ManagementError) { desk.withLock { $0.fail(id, error) } }

  func feed(_ input: Input) { say(desk.withLock { $0.take(input) }) }

  private func say(_ sentences: [Desk.Sentence]) {
    for sentence in sentences {
      switch sentence.severity {
      case .info: logger.info("\(sentence.text)")
      case .warning: logger.warning("\(sentence.text)")
      }
    }
  }

  private func nextID() -> UInt64 { desk.withLock { $0.nextID() } }

  // MARK: Time

  func author(_ identity: Identity) -> Author { Author(name: identity.name, at: wall) }

  private var wall: UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1000)) }

  /// One that finds no room is left out: the next comes in a second.
  private func tick() {
    let passed = (ContinuousClock.now - start).components
    let milliseconds = UInt64(passed.seconds) * 1000 + UInt64(passed.attoseconds / 1_000_000_000_000_000)
    _ = pool.offer(.manager, to: .muxPoolManagement, .normal, expire: {}) {
      self.feed(.tick(milliseconds: milliseconds, wallMilliseconds: self.wall))
    }
  }
}

extension Control::Operation {
  /// What is taken away stops traffic that should not flow; what is large waits for what is small.
  fileprivate var priority: Priority {
    switch self {
    case .delete: .high
    case .apply(let resources): resources.count > Limits.resourcesOfBulk ? .low : .normal
    }
  }
}

extension Report {
  /// Which queue it goes through.
  fileprivate func place(isMux: Bool) -> (Stage, Priority) {
    switch self {
    case .health(let changes):
      (.hostAgentManagement, changes.contains { !$0.isHealthy } ? .high : .normal)
    case .acknowledged, .hello: (isMux ? .muxPoolManagement : .hostAgentManagement, .normal)
    case .refused: (isMux ? .muxPoolManagement : .hostAgentManagement, .high)
    case .statistics: (isMux ? .muxPoolManagement : .hostAgentManagement, .low)
    case .portRequest: (.snatManagement, .normal)
    // In the order of the stream, where they are about what was acknowledged before; and what the agent says next
    // waits for them.
    case .portsReturned: (.hostAgentManagement, .normal)
    }
  }
}
