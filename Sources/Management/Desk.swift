import Control
import Manager

/// What lies under the manager's lock: its state machine, and those who wait for its answers.
struct Desk: Sendable {
  typealias Answer = Result<Outcome, ManagementError>
  typealias Count = Result<Int, ManagementError>

  /// An agent's stream.
  struct Session: Sendable {
    let node: String
    let isMux: Bool
    let messages: AsyncStream<ManagerMessage>.Continuation
    var patience = PortPatience()
  }

  /// A sentence for the log that an operator reads.
  typealias Sentence = (severity: Severity, text: String)

  private let log: any ReplicatedLog
  private(set) var manager = Manager(ManagerState())
  /// In which it is primary, as far as it has been told.
  private(set) var epoch: Epoch?
  private var lastID: UInt64 = 0
  private(set) var isStopped = false
  private var requests: [RequestID: CheckedContinuation<Answer, Never>] = [:]
  private var recalls: [RequestID: CheckedContinuation<Count, Never>] = [:]
  private var waits: [RequestID: AsyncStream<WaitProgress>.Continuation] = [:]
  private(set) var sessions: [SessionID: Session] = [:]
  private var readers: [UInt64: CheckedContinuation<ManagementError?, Never>] = [:]
  private var changers: [UInt64: CheckedContinuation<ManagementError?, Never>] = [:]
  /// Waits and streams that have not been answered yet, and why if they were refused.
  private var beginnings: [UInt64: ManagementError?] = [:]
  private var sentences: [Sentence] = []

  init(_ log: any ReplicatedLog) { self.log = log }

  mutating func nextID() -> UInt64 {
    lastID += 1
    return lastID
  }

  // MARK: Those who wait

  mutating func begin(_ id: RequestID, _ continuation: CheckedContinuation<Answer, Never>) {
    requests[id] = continuation
  }

  mutating func begin(_ id: RequestID, _ continuation: CheckedContinuation<Count, Never>) {
    recalls[id] = continuation
  }

  /// An agent is to know that one of its VMs gets no ports for now; one that listens to nothing asks again by itself.
  mutating func refuse(_ refusal: PortRefusal, _ session: SessionID) {
    sessions[session]?.patience.begin(refusal, at: .now)
    sessions[session]?.messages.yield(.portRefusal(refusal))
  }

  /// Whether a VM's request comes before the time that a refusal on the same stream has named.
  func isEarly(_ request: PortRequest, _ session: SessionID) -> Bool {
    sessions[session]?.patience.covers(request.locator, at: .now) ?? false
  }

  mutating func begin(_ id: RequestID, _ continuation: AsyncStream<WaitProgress>.Continuation) {
    waits[id] = continuation
    beginnings[id.number] = .some(nil)
  }

  mutating func begin(_ id: SessionID, _ session: Session) {
    sessions[id] = session
    beginnings[id.number] = .some(nil)
  }

  /// Why what has just begun was refused; nil if it was not.
  mutating func outcome(of id: UInt64) -> ManagementError? { beginnings.removeValue(forKey: id) ?? nil }

  /// False: too many read already.
  mutating func read(_ id: UInt64, _ continuation: CheckedContinuation<ManagementError?, Never>) -> Bool {
    guard readers.count < Limits.reads else { return false }
    readers[id] = continuation
    log.read(id)
    return true
  }

  mutating func change(
    _ id: UInt64, _ change: ManagerChange, _ continuation: CheckedContinuation<ManagementError?, Never>
  ) {
    changers[id] = continuation
    log.change(id, change)
  }

  mutating func forget(_ id: RequestID) -> Bool { waits.removeValue(forKey: id) != nil }

  mutating func end(_ id: SessionID) { sessions.removeValue(forKey: id)?.messages.finish() }

  mutating func fail(_ id: RequestID, _ error: ManagementError) {
    if let request = requests.removeValue(forKey: id) {
      request.resume(returning: .failure(error))
    } else if let recall = recalls.removeValue(forKey: id) {
      recall.resume(returning: .failure(error))
    } else if let wait = waits.removeValue(forKey: id) {
      if beginnings[id.number] != nil { beginnings[id.number] = error }
      wait.finish()
    }
  }

  // MARK: What happens

  /// Takes what the log tells.
  mutating func take(_ event: LogEvent) -> [Sentence] {
    switch event {
    case .installed(let state): return take(Input.installed(state))
    case .committed(let entries): return take(Input.committed(entries))
    case .becamePrimary(let epoch):
      self.epoch = epoch
      return take(Input.becamePrimary(epoch))
    case .lostPrimary(let address):
      epoch = nil
      return take(Input.lostPrimary(address: address))
    case .readable(let id): readers.removeValue(forKey: id)?.resume(returning: nil)
    case .unreadable(let id, let address):
      readers.removeValue(forKey: id)?.resume(returning: .notPrimary(address: address))
    case .changed(let id, let error): changers.removeValue(forKey: id)?.resume(returning: error)
    case .snapshotWanted(let question): log.snapshot(manager.state, for: question)
    }
    return []
  }

  /// Takes what happens, and carries out what is to be done about it.
  mutating func take(_ input: Input) -> [Sentence] {
    var next: Input? = input
    while let input = next {
      next = nil
      for output in manager.handle(input) {
        if case .draw = output {
          next = .drawn(low: .random(in: .min ... .max), high: .random(in: .min ... .max))
        } else {
          carryOut(output)
        }
      }
    }
    defer { sentences = [] }
    return sentences
  }

  private mutating func carryOut(_ output: Output) {
    switch output {
    case .append(let entry): log.append(entry, in: epoch ?? .none)
    case .draw: break
    case .reply(let id, let outcome): requests.removeValue(forKey: id)?.resume(returning: .success(outcome))
    case .fail(let id, let error): fail(id, error)
    case .accept: break
    case .refuse(let session, let error):
      beginnings[session.number] = error
      end(session)
    case .send(let update, let session):
      sessions[session]?.patience.end(update)
      // No room: its agent has not listened for a long time.
      if case .dropped? = sessions[session]?.messages.yield(.update(update)) { end(session) }
    case .refusePorts(let refusal, let session): refuse(refusal, session)
    case .recalled(let id, let count): recalls.removeValue(forKey: id)?.resume(returning: .success(count))
    case .close(let session, _): end(session)
    case .progress(let id, let progress): waits[id]?.yield(progress)
    case .endWait(let id): waits.removeValue(forKey: id)?.finish()
    case .event(let severity, let text): sentences.append((severity, text))
    }
  }

  /// Answers everybody; nothing is taken any more.
  mutating func stop() -> [Sentence] {
    isStopped = true
    let sentences = take(LogEvent.lostPrimary(address: nil))
    for id in waits.keys { fail(id, .notPrimary(address: nil)) }
    for id in requests.keys { fail(id, .notPrimary(address: nil)) }
    for id in recalls.keys { fail(id, .notPrimary(address: nil)) }
    for id in sessions.keys { end(id) }
    for reader in readers.values { reader.resume(returning: .notPrimary(address: nil)) }
    let reason = "this manager has ended; look at `get managers` whether the change was made"
    for changer in changers.values { changer.resume(returning: .uncertain(reason: reason)) }
    readers = [:]
    changers = [:]
    return sentences
  }
}
