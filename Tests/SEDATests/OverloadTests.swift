import SEDA
import Testing

/// Overload of one kind of work never stops another (Ananta §4), and these tests can tell when it does.
struct OverloadTests {
  /// Service times of low-priority work, microseconds: like a change, like a durable write, like a slow disk.
  static let lowServices: [ClosedRange<UInt64>] = [5_000...15_000, 20_000...40_000, 200_000...400_000]

  static func unloaded(seed: UInt64, service: ClosedRange<UInt64>) -> Overload.Outcome {
    Overload(policy: SchedulerPolicy(workers: 8), multiple: 0, lowService: service, seed: seed).run()
  }

  @Test(
    "with low-priority work at ten times capacity a change stays within twice its unloaded median",
    arguments: lowServices, [UInt64(1), 2])
  func tenTimesCapacity(service: ClosedRange<UInt64>, seed: UInt64) {
    let unloaded = Self.unloaded(seed: seed, service: service)
    let policy = SchedulerPolicy(workers: 8)
    let loaded = Overload(policy: policy, multiple: 10, lowService: service, seed: seed).run()
    #expect(unloaded.latencies.count > 60)
    #expect(loaded.latencies.count == unloaded.latencies.count && loaded.changesLost == 0)
    #expect(loaded.median <= 2 * unloaded.median)
    #expect(loaded.p99 <= 2 * unloaded.median)
    #expect(loaded.lowFinished > 0 && loaded.lowShed + loaded.lowExpired > 0)
  }

  @Test("one queue, first in first out, breaks the bound", arguments: [UInt64(1), 2, 3])
  func firstInFirstOut(seed: UInt64) {
    let service = Overload.changeService
    var policy = SchedulerPolicy(workers: 8)
    policy[.request].workers = 8
    policy[.snatManagement, .high].outstandingPerKey = .max
    let variant = Overload(
      policy: policy, route: Overload.oneQueue, multiple: 10, lowService: service, seed: seed)
    let loaded = variant.run()
    let bound = 2 * Self.unloaded(seed: seed, service: service).median
    #expect(loaded.median > bound)
    #expect(loaded.changesLost > 0)
  }

  @Test("without workers kept free slow work breaks the bound", arguments: [UInt64(1), 2, 3])
  func withoutReserve(seed: UInt64) {
    let service = Self.lowServices[2]
    var policy = SchedulerPolicy(workers: 8)
    policy[.request].workers = 8
    policy[.configuration].workers = 8
    policy[.bulk].workers = 8
    let loaded = Overload(policy: policy, multiple: 10, lowService: service, seed: seed).run()
    #expect(loaded.p99 > 2 * Self.unloaded(seed: seed, service: service).median)
  }

  @Test(
    "under endless configuration the lowest rank goes on by its share, and stands without it",
    arguments: [(20, true), (0, false)])
  func lowestRank(sharePerMille: Int, goesOn: Bool) {
    var policy = SchedulerPolicy(workers: 8)
    policy[.background].sharePerMille = sharePerMille
    var driver = DeterministicDriver<Int, Int>(policy: policy, seed: 4) { _ in 5_000...15_000 }
    var finished: [Stage: Int] = [:]
    for moment in UInt64(1)...3_000 {
      for key in 0..<2 { _ = driver.submit(0, of: key, to: .vipConfiguration, .normal) }
      if moment.isMultiple(of: 100) { _ = driver.submit(0, of: 0, to: .hostAgentManagement, .low) }
      for event in driver.advance(to: moment * 1_000) where event.step == .finished {
        finished[event.work.stage, default: 0] += 1
      }
    }
    let background = driver.scheduler.metrics(of: .hostAgentManagement)
    #expect(finished[.vipConfiguration, default: 0] > 1_800)
    #expect(driver.scheduler.metrics(of: .vipConfiguration).shed > 3_000)
    if goesOn {
      #expect(finished[.hostAgentManagement, default: 0] >= 27)
      #expect(background.expired == 0 && background.shed == 0)
    } else {
      #expect(finished[.hostAgentManagement, default: 0] == 0)
      #expect(background.shed > 0)
    }
  }

  @Test("the same seed gives the same events, another seed others")
  func deterministic() {
    func latencies(_ seed: UInt64) -> Overload.Outcome {
      let policy = SchedulerPolicy(workers: 8)
      return Overload(policy: policy, multiple: 1, lowService: 20_000...40_000, seed: seed).run()
    }
    #expect(latencies(5) == latencies(5))
    #expect(latencies(5) != latencies(6))
  }
}
