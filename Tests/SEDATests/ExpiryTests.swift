import Testing

@testable import SEDA

/// Bounds by age: what waited too long is answered, once.
struct ExpiryTests {
  typealias Scheduler = StageScheduler<Int, Int>

  static func policy(ageMicroseconds: UInt64) -> SchedulerPolicy {
    var policy = SchedulerPolicy(workers: 2)
    policy[.snatManagement, .high].ageLimitMicroseconds = ageMicroseconds
    return policy
  }

  @Test(
    "a work runs until the microsecond of its age limit",
    arguments: [(UInt64(0), true), (99, true), (100, false), (101, false), (1_000_000, false)])
  func ageLimit(waited: UInt64, runs: Bool) {
    var scheduler = Scheduler(policy: Self.policy(ageMicroseconds: 100))
    _ = scheduler.admit(7, of: 1, to: .snatManagement, .high, now: 1_000)
    #expect(scheduler.nextDeadline == 1_100)
    switch scheduler.next(now: 1_000 + waited) {
    case .run(let work): #expect(runs && work.payload == 7)
    case .expired(let work): #expect(!runs && work.payload == 7)
    case nil: Issue.record("nothing was dispatched")
    }
    #expect(scheduler.next(now: 2_000_000) == nil)
    #expect(scheduler.nextDeadline == nil)
    #expect(scheduler.metrics(of: .snatManagement).expired == (runs ? 0 : 1))
  }

  @Test("old work is answered though no worker is idle, and frees its place")
  func expiresWithoutWorkers() {
    var policy = Self.policy(ageMicroseconds: 100)
    policy[.snatManagement, .high].capacity = 2
    var scheduler = Scheduler(policy: policy)
    _ = scheduler.admit(0, of: 0, to: .snatManagement, .high, now: 0)
    guard case .run(let running)? = scheduler.next(now: 0) else {
      Issue.record("an idle worker got nothing")
      return
    }
    for key in 1...2 { _ = scheduler.admit(key, of: key, to: .snatManagement, .high, now: 0) }
    #expect(scheduler.next(now: 99) == nil)
    for key in 1...2 {
      guard case .expired(let work)? = scheduler.next(now: 100) else {
        Issue.record("an old work was not answered")
        return
      }
      #expect(work.key == key)
    }
    #expect(scheduler.next(now: 100) == nil && scheduler.length == 0)
    guard case .admitted = scheduler.admit(0, of: 3, to: .snatManagement, .high, now: 101) else {
      Issue.record("an expired work kept its place")
      return
    }
    scheduler.finished(running.ticket, now: 200)
    #expect(scheduler.metrics(of: .snatManagement).service.longestMicroseconds == 200)
  }

  @Test("a clock that goes back stands")
  func clockGoesBack() {
    var scheduler = Scheduler(policy: Self.policy(ageMicroseconds: 100))
    _ = scheduler.admit(0, of: 0, to: .snatManagement, .high, now: 1_000)
    guard case .run(let work)? = scheduler.next(now: 10) else {
      Issue.record("a work expired since the clock went back")
      return
    }
    #expect(work.expiresAt == 1_100)
    scheduler.finished(work.ticket, now: 5)
    #expect(scheduler.metrics(of: .snatManagement).wait.longestMicroseconds == 0)
    #expect(scheduler.metrics(of: .snatManagement).service.longestMicroseconds == 0)
  }

  @Test("keys that come and expire without end are forgotten")
  func memoryIsBounded() {
    let policy = QueuePolicy(rank: .request, capacity: 8, ageLimitMicroseconds: 100, outstandingPerKey: 1)
    var queue = FairQueue<Int, Int>(policy: policy)
    var most = 0
    for key in 0..<1_000 {
      let now = UInt64(key) * 100
      queue.append(
        Work(
          ticket: Ticket(number: UInt64(key + 1)), key: key, stage: .snatManagement, priority: .high,
          admittedAt: now, expiresAt: now + 100, payload: key))
      #expect(queue.takeExpired(now: now + 100)?.key == key)
      most = max(most, queue.rememberedKeys)
    }
    #expect(most <= 3 * policy.capacity)
    #expect(queue.take() == nil && queue.rememberedKeys == 0)
  }

  @Test("a key whose works expired gets one turn when it comes again, not two")
  func noSecondTurn() {
    let policy = QueuePolicy(rank: .request, capacity: 8, ageLimitMicroseconds: 10, outstandingPerKey: 8)
    var queue = FairQueue<Int, Int>(policy: policy)
    func work(_ number: UInt64, _ key: Int, at now: UInt64) -> Work<Int, Int> {
      Work(
        ticket: Ticket(number: number), key: key, stage: .snatManagement, priority: .high, admittedAt: now,
        expiresAt: now + 10, payload: 0)
    }
    queue.append(work(1, 1, at: 0))
    _ = queue.takeExpired(now: 10)
    for number in UInt64(2)...4 { queue.append(work(number, 1, at: 10)) }
    for number in UInt64(5)...7 { queue.append(work(number, 2, at: 10)) }
    let keys = (0..<6).compactMap { _ in queue.take()?.key }
    #expect(keys == [1, 2, 1, 2, 1, 2])
  }
}
