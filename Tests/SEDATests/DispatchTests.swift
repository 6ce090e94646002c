import SEDA
import Testing

/// Who goes first, what is kept free, what every rank gets at least.
struct DispatchTests {
  typealias Scheduler = StageScheduler<Int, Int>

  /// Runs what can run now; the works stay on their workers.
  static func run(_ scheduler: inout Scheduler, now: UInt64 = 0) -> [Work<Int, Int>] {
    var works: [Work<Int, Int>] = []
    while case .run(let work)? = scheduler.next(now: now) { works.append(work) }
    return works
  }

  /// Runs one work after the other.
  static func runAll(_ scheduler: inout Scheduler, at most: Int = .max) -> [Work<Int, Int>] {
    var works: [Work<Int, Int>] = []
    while works.count < most, case .run(let work)? = scheduler.next(now: 0) {
      works.append(work)
      scheduler.finished(work.ticket, now: 0)
    }
    return works
  }

  @Test("ranks are served in order, whatever came first")
  func strictOrder() {
    var policy = SchedulerPolicy(workers: 8)
    for rank in Rank.allCases { policy[rank].sharePerMille = 0 }
    var scheduler = Scheduler(policy: policy)
    for stage in Stage.allCases.reversed() {
      for priority in Priority.allCases.reversed() {
        _ = scheduler.admit(0, of: 0, to: stage, priority, now: 0)
      }
    }
    let ranks = Self.runAll(&scheduler).map { policy[$0.stage, $0.priority].rank }
    #expect(ranks.count == 18)
    #expect(ranks == ranks.sorted())
  }

  @Test(
    "VIP configuration of any priority goes before SNAT of any priority",
    arguments: Priority.allCases, Priority.allCases)
  func configurationBeforeSNAT(configuration: Priority, snat: Priority) {
    var scheduler = Scheduler(policy: SchedulerPolicy(workers: 2))
    _ = scheduler.admit(0, of: 0, to: .snatManagement, snat, now: 0)
    _ = scheduler.admit(0, of: 0, to: .vipConfiguration, configuration, now: 0)
    #expect(Self.runAll(&scheduler).map(\.stage) == [.vipConfiguration, .snatManagement])
  }

  @Test("a burst of SNAT leaves the reserve of workers to configuration and urgent work")
  func reserve() {
    var scheduler = Scheduler(policy: SchedulerPolicy(workers: 8))
    for key in 0..<100 {
      _ = scheduler.admit(0, of: key, to: .snatManagement, .high, now: 0)
      _ = scheduler.admit(0, of: key, to: .snatManagement, .low, now: 0)
    }
    #expect(Self.run(&scheduler).count == 5)
    for key in 0..<100 { _ = scheduler.admit(0, of: key, to: .vipConfiguration, .low, now: 1) }
    #expect(Self.run(&scheduler, now: 1).map(\.stage) == [.vipConfiguration])
    for key in 0..<100 { _ = scheduler.admit(0, of: key, to: .vipConfiguration, .normal, now: 2) }
    #expect(Self.run(&scheduler, now: 2).map(\.priority) == [.normal])
    for key in 0..<100 { _ = scheduler.admit(0, of: key, to: .routeManagement, .high, now: 3) }
    #expect(Self.run(&scheduler, now: 3).map(\.stage) == [.routeManagement])
    #expect(scheduler.idleWorkers == 0)
  }

  @Test(
    "the lowest rank gets its share of dispatches and no more, and none without a share",
    arguments: [(20, 19...21), (100, 99...101), (0, 0...0)])
  func minimumShare(perMille: Int, expected: ClosedRange<Int>) {
    var policy = SchedulerPolicy(workers: 8)
    policy[.background].sharePerMille = perMille
    policy[.vipConfiguration, .normal].capacity = 1_000
    policy[.snatManagement, .low].capacity = 1_000
    var scheduler = Scheduler(policy: policy)
    for key in 0..<1_000 {
      _ = scheduler.admit(0, of: key, to: .vipConfiguration, .normal, now: 0)
      _ = scheduler.admit(0, of: key, to: .snatManagement, .low, now: 0)
    }
    let works = Self.runAll(&scheduler, at: 1_000)
    let places = works.indices.filter { works[$0].stage == .snatManagement }
    #expect(expected.contains(places.count))
    guard perMille > 0 else { return }
    let gaps = zip(places, places.dropFirst()).map { $1 - $0 }
    #expect(gaps.allSatisfy { $0 <= 1_000 / perMille + 1 })
  }

  @Test("ranks in need together each get their share")
  func sharesTogether() {
    var policy = SchedulerPolicy(workers: 8)
    let queues: [(Stage, Priority)] = [
      (.vipConfiguration, .high), (.vipConfiguration, .normal), (.vipConfiguration, .low),
      (.snatManagement, .high), (.snatManagement, .normal), (.snatManagement, .low),
    ]
    for (stage, priority) in queues { policy[stage, priority].capacity = 2_000 }
    var scheduler = Scheduler(policy: policy)
    for key in 0..<2_000 {
      for (stage, priority) in queues { _ = scheduler.admit(0, of: key, to: stage, priority, now: 0) }
    }
    let works = Self.runAll(&scheduler, at: 2_000)
    for (stage, priority) in queues.dropFirst() {
      let rank = policy[stage, priority].rank
      let count = works.count { $0.stage == stage && $0.priority == priority }
      #expect(count >= 2_000 * policy[rank].sharePerMille / 1_000 - 2, "\(rank)")
    }
  }

  @Test("keys take turns, and within a key who came first goes first")
  func fairness() {
    var policy = SchedulerPolicy(workers: 8)
    policy[.vipConfiguration, .normal].outstandingPerKey = 100
    var scheduler = Scheduler(policy: policy)
    for payload in 0..<100 {
      _ = scheduler.admit(payload, of: 0, to: .vipConfiguration, .normal, now: 0)
    }
    for key in 1...5 { _ = scheduler.admit(key, of: key, to: .vipConfiguration, .normal, now: 0) }
    let works = Self.runAll(&scheduler)
    #expect(works.prefix(8).map(\.key) == [0, 1, 2, 3, 4, 5, 0, 0])
    #expect(works.filter { $0.key == 0 }.map(\.payload) == Array(0..<100))
  }

  @Test("stages of one rank take turns")
  func stagesTakeTurns() {
    var scheduler = Scheduler(policy: SchedulerPolicy(workers: 8))
    for key in 0..<3 {
      _ = scheduler.admit(0, of: key, to: .snatManagement, .high, now: 0)
      _ = scheduler.admit(0, of: key, to: .hostAgentManagement, .normal, now: 0)
    }
    let stages = Self.runAll(&scheduler).map(\.stage)
    #expect(stages == [0, 1, 2].flatMap { _ in [Stage.snatManagement, .hostAgentManagement] })
  }

  @Test("a ticket that does not run cannot be finished")
  func finishedTwice() async {
    await #expect(processExitsWith: .failure) {
      var scheduler = StageScheduler<Int, Int>(policy: SchedulerPolicy(workers: 2))
      _ = scheduler.admit(0, of: 0, to: .vipConfiguration, .normal, now: 0)
      guard case .run(let work)? = scheduler.next(now: 0) else { return }
      scheduler.finished(work.ticket, now: 0)
      scheduler.finished(work.ticket, now: 0)
    }
  }
}
