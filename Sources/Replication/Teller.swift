import Control
import Dispatch
import Manager
import Paxos
import Synchronization

/// Tells a manager what has become of its log: decodes what others have proposed, and gives entries their revisions.
///
/// A thread of its own, so that reading an entry of megabytes delays no heartbeat.
final class Teller: Sendable {
  private struct State {
    /// Of the last entry told; slots of the log also hold what is no entry of the manager's.
    var revision = Revision(0)
    var hasEnded = false
  }

  let events: AsyncStream<LogEvent>
  private let continuation: AsyncStream<LogEvent>.Continuation
  private let report: @Sendable (LogInput) -> Void
  private let queue = DispatchQueue(label: "ananta.log.teller")
  private let state = Mutex(State())

  init(report: @escaping @Sendable (LogInput) -> Void) {
    (events, continuation) = AsyncStream.makeStream()
    self.report = report
  }

  func tell(_ tellings: [Telling]) {
    queue.async { self.carryOut(tellings) }
  }

  /// Ends the stream behind all that was told before.
  func finish() {
    queue.async {
      self.state.withLock { $0.hasEnded = true }
      self.continuation.finish()
    }
  }

  private func carryOut(_ tellings: [Telling]) {
    var committed: [CommittedEntry] = []
    for telling in tellings where !state.withLock({ $0.hasEnded }) {
      switch telling {
      case .entry(_, let entry): committed.append(number(entry))
      case .octets(let slot, let octets):
        if let entry = decode(Manager::Entry.self, octets, slot) { committed.append(number(entry)) }
      case .snapshot(let snapshot):
        flush(&committed)
        if let whole = decode(ManagerSnapshot.self, snapshot.state, snapshot.slot) {
          state.withLock { $0.revision = whole.revision }
          continuation.yield(.installed(ManagerState(whole)))
        }
      case .event(let event):
        flush(&committed)
        continuation.yield(event)
      }
    }
    flush(&committed)
  }

  private func number(_ entry: Manager::Entry) -> CommittedEntry {
    let revision = state.withLock { state in
      state.revision = Revision(state.revision.number + 1)
      return state.revision
    }
    return CommittedEntry(revision: revision, entry: entry)
  }

  private func flush(_ committed: inout [CommittedEntry]) {
    if !committed.isEmpty { continuation.yield(.committed(committed)) }
    committed = []
  }

  /// Nothing is told any more after what cannot be read.
  private func decode<Value: Decodable>(_ type: Value.Type, _ octets: [UInt8], _ slot: Slot) -> Value? {
    do throws(EntryCoding.Failure) {
      return try EntryCoding.decode(type, from: octets)
    } catch {
      state.withLock { $0.hasEnded = true }
      report(.undecodable(slot, error.description))
      return nil
    }
  }
}
