import Control
import Manager
import Synchronization

/// A log in memory that leads from the start, commits when it is told to, and counts.
final class MemoryLog: ReplicatedLog {
  private struct State {
    var entries: [Entry]
    var waiting: [Entry] = []
    var epoch: Epoch?
    var isHeld = false
    var isSilent = false
    var reads = 0
    var unanswered: [UInt64] = []
    var changes: [ManagerChange] = []
    var refusal: ManagementError?
    var snapshots: [UInt64: ManagerState] = [:]
    var largest = Int.max
    var obstacle: String?
  }

  let events: AsyncStream<Manager::LogEvent>
  private let continuation: AsyncStream<Manager::LogEvent>.Continuation
  private let state: Mutex<State>

  /// Takes up what an earlier one held.
  init(after entries: [Entry] = [], round: UInt64 = 1) {
    (events, continuation) = AsyncStream.makeStream()
    state = Mutex(State(entries: entries))
    var known = ManagerState()
    for entry in entries { _ = known.apply(entry, at: Revision(known.revision.number + 1)) }
    if !entries.isEmpty { continuation.yield(.installed(known)) }
    lead(round)
  }

  var entries: [Entry] { state.withLock { $0.entries } }
  var obstacle: String? { state.withLock { $0.obstacle } }
  var waiting: [Entry] { state.withLock { $0.waiting } }
  var unanswered: Int { state.withLock { $0.unanswered.count } }
  var changes: [ManagerChange] { state.withLock { $0.changes } }
  var snapshots: [UInt64: ManagerState] { state.withLock { $0.snapshots } }

  func lead(_ round: UInt64) {
    state.withLock { $0.epoch = Epoch(round, replica: 1) }
    continuation.yield(.becamePrimary(Epoch(round, replica: 1)))
  }

  /// Another leads; what waits is kept for `release`, as a new primary might choose it.
  func depose(to address: String?) {
    state.withLock { $0.epoch = nil }
    continuation.yield(.lostPrimary(address: address))
  }

  /// It stops, for this reason.
  func halt(_ reason: String) {
    state.withLock { $0.obstacle = reason }
    depose(to: nil)
  }

  /// Later entries wait.
  func hold() { state.withLock { $0.isHeld = true } }

  /// Those that wait are committed.
  func release() {
    state.withLock { state in
      state.isHeld = false
      commit(state.waiting, &state)
      state.waiting = []
    }
  }

  /// Reads are not answered until they are again.
  func setSilent(_ isSilent: Bool) {
    let late = state.withLock { state in
      state.isSilent = isSilent
      defer { state.unanswered = [] }
      return isSilent ? [] : state.unanswered
    }
    for request in late { continuation.yield(.readable(request)) }
  }

  func refuseChanges(_ error: ManagementError) { state.withLock { $0.refusal = error } }

  /// Entries of an operation with more resources are too large.
  func limit(_ resources: Int) { state.withLock { $0.largest = resources } }

  func askForSnapshot(_ question: UInt64) { continuation.yield(.snapshotWanted(question)) }

  private func commit(_ entries: [Entry], _ state: inout State) {
    let first = UInt64(state.entries.count) + 1
    state.entries += entries
    let committed = entries.enumerated().map {
      CommittedEntry(revision: Revision(first + UInt64($0)), entry: $1)
    }
    if !committed.isEmpty { continuation.yield(.committed(committed)) }
  }

  // MARK: ReplicatedLog

  func objection(to entry: Entry) -> ManagementError? {
    guard case .operation(.apply(let resources), _) = entry else { return nil }
    let largest = state.withLock { $0.largest }
    return resources.count <= largest ? nil : .refused(reason: "\(resources.count) are more than \(largest)")
  }

  func append(_ entry: Entry, in epoch: Epoch) {
    state.withLock { state in
      guard epoch == state.epoch else { return }
      if state.isHeld { state.waiting.append(entry) } else { commit([entry], &state) }
    }
  }

  func snapshot(_ snapshot: ManagerState, for question: UInt64) {
    state.withLock { $0.snapshots[question] = snapshot }
  }

  func read(_ request: UInt64) {
    state.withLock { state in
      if state.isSilent {
        state.unanswered.append(request)
      } else if state.epoch != nil {
        continuation.yield(.readable(request))
      } else {
        continuation.yield(.unreadable(request, address: state.obstacle == nil ? "10.1.9.2:4600" : nil))
      }
    }
  }

  func change(_ request: UInt64, _ change: ManagerChange) {
    state.withLock { state in
      if state.refusal == nil { state.changes.append(change) }
      continuation.yield(.changed(request, state.refusal))
    }
  }

  func group() async -> ManagerGroup {
    let rows = ["n1", "n2"].map { name in
      ManagerStatus(
        node: name, address: ManagerAddress(host: "10.1.1.2", port: 4600), replica: 1,
        role: name == "n1" ? .leader : .follower, isVoter: true, ballot: .none, committed: 0, snapshot: 0,
        seconds: 0, silentMilliseconds: 0)
    }
    return ManagerGroup(answering: "n1", cluster: 1, managers: rows)
  }

  func counters() -> [Counter] { [Counter(name: "ananta_log_syncs_total", labels: [:], value: 7)] }
}
