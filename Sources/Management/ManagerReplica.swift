public import Control
public import Logging
public import Manager

/// One running manager: the state machine joined to its log on the one side and to operators and agents on
/// the other.
///
/// The actor is the one serial executor on which all inputs meet. While one batch of entries is being
/// written, new ones gather for the next: however many operators there are, each write to disk is shared by
/// all who came during the last.
public actor ManagerReplica: ManagementService {
  private typealias Answer = Result<Outcome, ManagementError>

  private let log: any ReplicatedLog
  private let logger: Logger
  private var manager: Manager
  private var ticker: Task<Void, Never>?
  private var lastID: UInt64 = 0
  private var requests: [RequestID: CheckedContinuation<Answer, Never>] = [:]
  private var waits: [RequestID: AsyncStream<WaitProgress>.Continuation] = [:]
  private var sessions: [SessionID: AsyncStream<Update>.Continuation] = [:]
  private var refusals: [UInt64: ManagementError] = [:]
  private var unwritten: [Entry] = []
  private var isWriting = false
  private var entriesSinceSnapshot = 0

  /// Recovers what the log holds and begins to serve; as primary, if the log says so.
  ///
  /// Throws what the log throws when it cannot be read: it must not be served from then.
  public init(log: any ReplicatedLog, logger: Logger) async throws {
    self.log = log
    self.logger = logger
    let (state, epoch) = try await log.recover()
    manager = Manager(state)
    feed(epoch.map(Input.becamePrimary) ?? .lostPrimary(address: nil))
    ticker = Task { [weak self] in
      let start = ContinuousClock.now
      while !Task.isCancelled {
        try? await Task.sleep(for: Limits.tick)
        let passed = (ContinuousClock.now - start).components
        await self?.feed(
          .tick(
            milliseconds: UInt64(passed.seconds) * 1000 + UInt64(passed.attoseconds / 1_000_000_000_000_000)))
      }
    }
  }

  /// Ends all streams and waits; agents go on forwarding.
  public func stop() {
    ticker?.cancel()
    unwritten = []
    feed(.lostPrimary(address: nil))
    for wait in waits.values { wait.finish() }
    waits = [:]
  }

  // MARK: ManagementService

  /// Validates an operation and, unless it is a dry run or refused, makes it durable and pushes it to the
  /// nodes.
  public func perform(_ operation: Operation, dryRun: Bool) async throws(ManagementError) -> Outcome {
    let id = RequestID(nextID())
    let answer = await withCheckedContinuation { continuation in
      requests[id] = continuation
      feed(.request(id, operation, dryRun: dryRun))
    }
    return try answer.get()
  }

  /// The data centre as this manager knows it now.
  public func state() -> ClusterState { manager.clusterState() }

  /// Follows a revision on its way to the nodes.
  public func wait(for revision: Revision) throws(ManagementError) -> AsyncStream<WaitProgress> {
    let id = RequestID(nextID())
    let (stream, continuation) = AsyncStream<WaitProgress>.makeStream(
      bufferingPolicy: .bufferingNewest(Limits.progressPerWait))
    waits[id] = continuation
    feed(.wait(id, revision))
    if let error = refusals.removeValue(forKey: id.number) { throw error }
    continuation.onTermination = { [weak self] _ in
      Task { await self?.endWait(id) }
    }
    return stream
  }

  /// Accepts an agent's stream.
  public func attach(_ hello: Hello) throws(ManagementError) -> AgentSession {
    let id = SessionID(nextID())
    // Unbounded in form only: the manager sends one update and waits for its acknowledgement before the next.
    let (updates, continuation) = AsyncStream<Update>.makeStream()
    sessions[id] = continuation
    feed(.connected(hello, id))
    if let error = refusals.removeValue(forKey: id.number) { throw error }
    return AgentSession(id: id, updates: updates)
  }

  /// Takes what the agent says on its stream.
  public func report(_ report: Report, from session: SessionID) { feed(.report(report, session)) }

  /// The agent's stream has ended.
  public func detach(_ session: SessionID) {
    sessions.removeValue(forKey: session)?.finish()
    feed(.disconnected(session))
  }

  // MARK: The way through

  private func nextID() -> UInt64 {
    lastID += 1
    return lastID
  }

  private func endWait(_ id: RequestID) {
    guard waits.removeValue(forKey: id) != nil else { return }
    feed(.endWait(id))
  }

  private func feed(_ input: Input) {
    for output in manager.handle(input) { carryOut(output) }
    guard !isWriting, !unwritten.isEmpty else { return }
    isWriting = true
    Task { await write() }
  }

  private func carryOut(_ output: Output) {
    switch output {
    case .append(let entry): unwritten.append(entry)
    case .reply(let id, let outcome): requests.removeValue(forKey: id)?.resume(returning: .success(outcome))
    case .fail(let id, let error): fail(id, error)
    case .accept: break
    case .refuse(let session, let error):
      refusals[session.number] = error
      sessions.removeValue(forKey: session)?.finish()
    case .send(let update, let session): sessions[session]?.yield(update)
    case .close(let session, _): sessions.removeValue(forKey: session)?.finish()
    case .progress(let id, let progress): waits[id]?.yield(progress)
    case .endWait(let id): waits.removeValue(forKey: id)?.finish()
    case .event(.info, let text): logger.info("\(text)")
    case .event(.warning, let text): logger.warning("\(text)")
    }
  }

  private func fail(_ id: RequestID, _ error: ManagementError) {
    if let request = requests.removeValue(forKey: id) {
      request.resume(returning: .failure(error))
    } else if let wait = waits.removeValue(forKey: id) {
      refusals[id.number] = error
      wait.finish()
    }
  }

  // MARK: The log

  private func write() async {
    while !unwritten.isEmpty {
      let batch = Array(unwritten.prefix(Limits.entriesPerBatch))
      unwritten.removeFirst(batch.count)
      do throws(LogError) {
        let first = try await log.append(batch)
        entriesSinceSnapshot += batch.count
        let committed = batch.enumerated().map { offset, entry in
          CommittedEntry(revision: Revision(first.number + UInt64(offset)), entry: entry)
        }
        feed(.committed(committed))
      } catch {
        // What was validated on top of the lost entries is lost with them.
        unwritten = []
        feed(.appendFailed(error))
      }
      await compactIfDue()
    }
    isWriting = false
  }

  private func compactIfDue() async {
    guard entriesSinceSnapshot >= Limits.entriesPerSnapshot else { return }
    entriesSinceSnapshot = 0
    do throws(LogError) {
      try await log.compact(manager.state)
    } catch {
      logger.warning("the log could not be shortened: \(error)")
    }
  }
}
