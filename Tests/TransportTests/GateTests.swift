import Control
import Synchronization
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(2))) struct GateTests {
  private final class Watch: Sendable {
    let state = Mutex((inside: 0, most: 0, done: 0))

    func work() async throws {
      state.withLock { state in
        state.inside += 1
        state.most = max(state.most, state.inside)
      }
      try await Task.sleep(for: .milliseconds(2))
      state.withLock { state in
        state.inside -= 1
        state.done += 1
      }
    }
  }

  @Test(arguments: [1, 3]) func fewAreInsideAndAllHaveTheirTurn(inside: Int) async throws {
    let gate = Gate(inside: inside, waiting: 100)
    let watch = Watch()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<50 { group.addTask { try await gate.pass { try await watch.work() } } }
      try await group.waitForAll()
    }
    #expect(watch.state.withLock { $0.done } == 50)
    #expect(watch.state.withLock { $0.most } == inside)
  }

  @Test func whoComesBeyondIsToldToComeAgain() async throws {
    let gate = Gate(inside: 1, waiting: 1)
    let (hold, release) = AsyncStream.makeStream(of: Void.self)
    let watch = Watch()
    let tasks = (0..<2).map { _ in
      Task {
        try await gate.pass {
          try await watch.work()
          for await _ in hold { break }
        }
      }
    }
    #expect(try await eventually { watch.state.withLock { $0.done } == 1 })
    // The second waits now, or will in a moment.
    try await Task.sleep(for: .milliseconds(100))
    await #expect(throws: ManagementError.self) { try await gate.pass {} }
    release.finish()
    for task in tasks { try await task.value }
    try await gate.pass {}
  }

  @Test func whoFailsLeavesTheGate() async throws {
    let gate = Gate(inside: 1, waiting: 0)
    for _ in 0..<3 {
      await #expect(throws: ManagementError.refused(reason: "no")) {
        try await gate.pass { throw ManagementError.refused(reason: "no") }
      }
    }
    #expect(try await gate.pass { 7 } == 7)
  }
}
