import SEDA
import Testing

/// Clients that are shed and obey: everything gets through, and the answer spares tries.
struct RetryTests {
  /// Clients with one request each, all at the same moment.
  struct Crowd {
    struct Outcome {
      var done = 0
      var tries = 0
      var mostTries = 0
      var until: UInt64 = 0
    }

    var clients: Int
    var keyOf: @Sendable (Int) -> Int
    /// What a client makes of the milliseconds it is told.
    var obey: @Sendable (UInt32) -> UInt64
    var policy: SchedulerPolicy
    var seed: UInt64

    /// Each client's next try; a client that was told that its work expired tries again at once.
    func run() -> Outcome {
      var driver = DeterministicDriver<Int, Int>(policy: policy, seed: seed) { _ in 2_000...8_000 }
      var outcome = Outcome()
      var tries = Array(repeating: 0, count: clients)
      var due: [UInt64: [Int]] = [0: Array(0..<clients)]
      while let moment = [due.keys.min(), driver.nextMoment].compactMap(\.self).min(),
        outcome.until < 600_000_000
      {
        for event in driver.advance(to: moment) {
          if event.step == .finished { outcome.done += 1 }
          if event.step == .expired { due[event.at, default: []].append(event.work.payload) }
        }
        for client in due.removeValue(forKey: moment) ?? [] {
          tries[client] += 1
          let answer = driver.submit(client, of: keyOf(client), to: .snatManagement, .high)
          guard case .shed(_, let milliseconds) = answer else { continue }
          due[moment + obey(milliseconds) * 1_000, default: []].append(client)
        }
        for event in driver.advance(to: moment) where event.step == .expired {
          due[event.at, default: []].append(event.work.payload)
        }
        outcome.until = moment
      }
      outcome.tries = tries.reduce(0, +)
      outcome.mostTries = tries.max() ?? 0
      return outcome
    }
  }

  static func policy(capacity: Int, perKey: Int) -> SchedulerPolicy {
    var policy = SchedulerPolicy(workers: 8)
    policy[.snatManagement, .high].capacity = capacity
    policy[.snatManagement, .high].outstandingPerKey = perKey
    return policy
  }

  @Test(
    "a crowd many times the queue gets through when it obeys",
    arguments: [(clients: 500, capacity: 16), (clients: 2_000, capacity: 128)], [UInt64(1), 2])
  func crowd(size: (clients: Int, capacity: Int), seed: UInt64) {
    let policy = Self.policy(capacity: size.capacity, perKey: 1)
    let crowd = Crowd(clients: size.clients, keyOf: { $0 }, obey: { UInt64($0) }, policy: policy, seed: seed)
    let outcome = crowd.run()
    #expect(outcome.done == size.clients)
    #expect(outcome.mostTries <= 4)
    #expect(outcome.until <= 60_000_000)
  }

  @Test("who comes again every 10 ms tries far more often than who obeys")
  func obeyingSparesTries() {
    let policy = Self.policy(capacity: 16, perKey: 1)
    let obeying = Crowd(clients: 500, keyOf: { $0 }, obey: { UInt64($0) }, policy: policy, seed: 3).run()
    let stubborn = Crowd(clients: 500, keyOf: { $0 }, obey: { _ in 10 }, policy: policy, seed: 3).run()
    #expect(obeying.done == 500 && stubborn.done == 500)
    #expect(stubborn.tries > 5 * obeying.tries)
  }

  @Test("one heavy key beside many light ones: all get through, the light ones are not shed for it")
  func heavyKey() {
    let policy = Self.policy(capacity: 200, perKey: 1)
    let crowd = Crowd(
      clients: 200, keyOf: { $0 < 100 ? 0 : $0 }, obey: { UInt64($0) }, policy: policy, seed: 4)
    let outcome = crowd.run()
    #expect(outcome.done == 200)
    #expect((201...2_000).contains(outcome.tries))
  }
}
