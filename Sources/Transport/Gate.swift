import Control
import Synchronization

/// Lets few large questions of operators in at a time; the others wait in order.
///
/// To decode and encode what is large takes milliseconds of the threads that all requests share; a hundred of
/// them at once would hold up a small change by their sum. Whoever waits here holds up nobody.
final class Gate: Sendable {
  private typealias Turn = CheckedContinuation<Bool, Never>

  private struct State {
    var free: Int
    var waiting: [Turn] = []
  }

  private let capacity: Int
  private let state: Mutex<State>

  /// So many are inside at once, and at most so many wait.
  init(inside: Int = Limits.largeAtOnce, waiting: Int = Limits.largeWaiting) {
    precondition(inside > 0 && waiting >= 0, "a gate that nobody passes")
    capacity = waiting
    state = Mutex(State(free: inside))
  }

  /// Works when it is its turn.
  ///
  /// - Throws: `ManagementError.overloaded` when too many wait already; or what the work throws.
  func pass<Value>(_ work: () async throws -> Value) async throws -> Value {
    guard await enter() else {
      throw ManagementError.overloaded(
        reason: "\(capacity) large questions wait to be answered",
        retryAfterMilliseconds: Limits.retryAfterMilliseconds)
    }
    defer { leave() }
    return try await work()
  }

  private func enter() async -> Bool {
    await withCheckedContinuation { (turn: Turn) in
      let verdict = state.withLock { state -> Bool? in
        if state.free > 0 {
          state.free -= 1
          return true
        }
        guard state.waiting.count < capacity else { return false }
        state.waiting.append(turn)
        return nil
      }
      if let verdict { turn.resume(returning: verdict) }
    }
  }

  private func leave() {
    let next = state.withLock { state -> Turn? in
      guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
      state.free += 1
      return nil
    }
    next?.resume(returning: true)
  }
}
