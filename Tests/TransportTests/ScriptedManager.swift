import Control
import Logging
import Synchronization
import Transport
import Wire

/// A manager that answers as a test tells it to, and remembers what it was asked.
final class ScriptedManager: ManagementService {
  struct State {
    var outcome = Outcome(revision: Revision(1), changes: [], warnings: [], errors: [])
    var cluster = ClusterState(
      revision: Revision(1), epoch: Epoch(1), nodes: [], networks: [], machines: [], services: [])
    var failure: ManagementError?
    var progress: [WaitProgress] = []
    var isProgressEndless = false
    var operations: [Operation] = []
    var dryRuns = 0
    var isPerformEndless = false
    var identities: [Identity] = []
    var records: [AuditRecord] = []
    var group = ManagerGroup(answering: "m1", cluster: 0, managers: [])
    var changes: [ManagerChange] = []
    var recalls: [PortRecall] = []
    var hellos: [Hello] = []
    var reports: [Report] = []
    var detached: [SessionID] = []
    var waitsEnded = 0
    var streams: [SessionID: AsyncStream<ManagerMessage>.Continuation] = [:]
  }

  let state = Mutex(State())

  init(_ prepare: (inout State) -> Void = { _ in }) { state.withLock { prepare(&$0) } }

  func perform(
    _ operation: Operation, dryRun: Bool, by identity: Identity
  ) async throws(ManagementError) -> Outcome {
    let (outcome, failure, isEndless) = state.withLock { state in
      state.operations.append(operation)
      state.identities.append(identity)
      state.dryRuns += dryRun ? 1 : 0
      return (state.outcome, state.failure, state.isPerformEndless)
    }
    if let failure { throw failure }
    if isEndless { try? await Task.sleep(for: .seconds(60)) }
    return outcome
  }

  func state() async throws(ManagementError) -> ClusterState { try answer { $0.cluster } }

  func auditRecords() async throws(ManagementError) -> [AuditRecord] { try answer { $0.records } }

  func managers() async -> ManagerGroup { state.withLock { $0.group } }

  func change(_ change: ManagerChange, by identity: Identity) async throws(ManagementError) {
    let failure = state.withLock { state in
      state.changes.append(change)
      state.identities.append(identity)
      return state.failure
    }
    if let failure { throw failure }
  }

  func recall(_ recall: PortRecall, by identity: Identity) async throws(ManagementError) -> Int {
    let (count, failure) = state.withLock { state in
      state.recalls.append(recall)
      state.identities.append(identity)
      return (state.recalls.count, state.failure)
    }
    if let failure { throw failure }
    return count
  }

  private func answer<Value: Sendable>(_ read: (State) -> Value) throws(ManagementError) -> Value {
    let (value, failure) = state.withLock { (read($0), $0.failure) }
    if let failure { throw failure }
    return value
  }

  func wait(for revision: Revision) async throws(ManagementError) -> AsyncStream<WaitProgress> {
    let (progress, isEndless, failure) = state.withLock { ($0.progress, $0.isProgressEndless, $0.failure) }
    if let failure { throw failure }
    let (stream, continuation) = AsyncStream.makeStream(of: WaitProgress.self)
    continuation.onTermination = { _ in self.state.withLock { $0.waitsEnded += 1 } }
    for element in progress { continuation.yield(element) }
    if !isEndless { continuation.finish() }
    return stream
  }

  func attach(_ hello: Hello) async throws(ManagementError) -> AgentSession {
    let (stream, continuation) = AsyncStream.makeStream(of: ManagerMessage.self)
    let (id, failure) = state.withLock { state in
      state.hellos.append(hello)
      let id = SessionID(UInt64(state.hellos.count))
      if state.failure == nil { state.streams[id] = continuation }
      return (id, state.failure)
    }
    if let failure { throw failure }
    continuation.yield(
      .update(Update(epoch: Epoch(1), revision: Revision(id.number), isSnapshot: true, commands: [])))
    return AgentSession(id: id, messages: stream)
  }

  func report(_ report: Report, from session: SessionID) async {
    state.withLock { $0.reports.append(report) }
  }

  func detach(_ session: SessionID) async {
    state.withLock { state in
      state.detached.append(session)
      state.streams[session] = nil
    }
  }

  /// Ends the newest stream, as if the node had opened another.
  func endStream() {
    state.withLock { $0.streams.max { $0.key < $1.key }?.value }?.finish()
  }

  func push(_ update: Update) { push(.update(update)) }

  func push(_ message: ManagerMessage) {
    state.withLock { _ = $0.streams.max { $0.key < $1.key }?.value.yield(message) }
  }
}

/// A logger that keeps quiet.
let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A server on a port the system chose, and the task it runs in.
struct RunningServer {
  let address: ManagerAddress
  let server: ManagementServer
  let task: Task<Void, any Error>

  static func start(
    _ service: ScriptedManager, replicas: ReplicaLinks? = nil, port: UInt16 = 0,
    security: TransportSecurity = .plaintext
  ) async throws -> RunningServer {
    let server = try ManagementServer(
      service: service, replicas: replicas, listen: ManagerAddress(host: "127.0.0.1", port: port),
      security: security, logger: silent)
    let task = Task { try await server.run() }
    return RunningServer(address: try await server.address, server: server, task: task)
  }

  func stop() async throws {
    task.cancel()
    try await task.value
  }

  func client(
    security: TransportSecurity = .plaintext, timeout: Duration = .seconds(30)
  ) -> ManagementClient {
    ManagementClient(managers: [address], security: security, timeout: timeout)
  }

  /// How often somebody was refused for a reason.
  func refusals(_ reason: String) -> UInt64 {
    server.counters.first { $0.labels["reason"] == reason }?.value ?? 0
  }
}

/// Waits until something has come true; the limit only keeps a broken test from hanging.
func eventually(_ condition: () -> Bool) async throws -> Bool {
  for _ in 0..<3000 {
    if condition() { return true }
    try await Task.sleep(for: .milliseconds(10))
  }
  return condition()
}
