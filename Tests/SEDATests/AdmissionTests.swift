import SEDA
import Testing

/// Bounds by count and by key, and what is said to who was shed.
struct AdmissionTests {
  typealias Scheduler = StageScheduler<Int, Int>

  static func policy(capacity: Int, perKey: Int = 1_000_000) -> SchedulerPolicy {
    var policy = SchedulerPolicy(workers: 8)
    policy[.snatManagement, .high].capacity = capacity
    policy[.snatManagement, .high].outstandingPerKey = perKey
    return policy
  }

  static func admit(_ scheduler: inout Scheduler, key: Int, now: UInt64 = 0) -> Admission {
    scheduler.admit(0, of: key, to: .snatManagement, .high, now: now)
  }

  @Test("a queue holds its capacity and not one more", arguments: [1, 2, 3, 100, 1_000])
  func capacity(capacity: Int) {
    var scheduler = Scheduler(policy: Self.policy(capacity: capacity))
    for key in 0..<(2 * capacity) {
      switch Self.admit(&scheduler, key: key) {
      case .admitted(let ticket):
        #expect(key < capacity && ticket.number == UInt64(key + 1))
      case .shed(let reason, let milliseconds):
        #expect(key >= capacity && reason == .queueFull && (10...30_000).contains(milliseconds))
      }
    }
    let metrics = scheduler.metrics(of: .snatManagement)
    #expect(metrics.length == capacity && metrics.highWaterMark == capacity)
    #expect(metrics[.high].shedAsFull == UInt64(capacity) && metrics[.high].shedAsKeyLimit == 0)
  }

  @Test("a key has one request waiting or running; another key is not touched")
  func keyLimit() throws {
    var scheduler = Scheduler(policy: Self.policy(capacity: 10, perKey: 1))
    #expect(Self.admit(&scheduler, key: 1) == .admitted(try Self.ticket(1)))
    #expect(Self.isKeyLimit(Self.admit(&scheduler, key: 1)))
    #expect(Self.admit(&scheduler, key: 2) == .admitted(try Self.ticket(2)))
    guard case .run(let work) = scheduler.next(now: 5) else {
      Issue.record("an idle worker got nothing")
      return
    }
    #expect(work.key == 1)
    #expect(Self.isKeyLimit(Self.admit(&scheduler, key: 1, now: 6)))
    scheduler.finished(work.ticket, now: 7)
    #expect(Self.admit(&scheduler, key: 1, now: 8) == .admitted(try Self.ticket(3)))
    #expect(scheduler.metrics(of: .snatManagement)[.high].shedAsKeyLimit == 2)
  }

  @Test("a full queue of one stage does not touch the other queues")
  func queuesAreApart() {
    var scheduler = Scheduler(policy: Self.policy(capacity: 1))
    _ = Self.admit(&scheduler, key: 0)
    for stage in Stage.allCases {
      for priority in Priority.allCases where (stage, priority) != (.snatManagement, .high) {
        guard case .admitted = scheduler.admit(0, of: 0, to: stage, priority, now: 0) else {
          Issue.record("\(stage.name) \(priority.name) shed its first work")
          continue
        }
      }
    }
    #expect(scheduler.length == Stage.allCases.count * Priority.allCases.count)
  }

  @Test(
    "the first who is shed comes again when half of the queue has gone at the measured rate",
    arguments: [UInt64(1_000), 5_000, 20_000])
  func retryAfterIsMeasured(interval: UInt64) {
    let length = 100
    var scheduler = Scheduler(policy: Self.policy(capacity: length))
    var now: UInt64 = 0
    for key in 0..<length { _ = Self.admit(&scheduler, key: key) }
    for round in 0..<200 {
      now += interval
      guard case .run(let work) = scheduler.next(now: now) else {
        Issue.record("an idle worker got nothing")
        return
      }
      scheduler.finished(work.ticket, now: now)
      _ = Self.admit(&scheduler, key: length + round, now: now)
    }
    let expected = Int(interval) * length / 2 / 1_000
    var last: UInt32 = 0
    for shed in 0..<20 {
      guard case .shed(.queueFull, let milliseconds) = Self.admit(&scheduler, key: -1 - shed, now: now) else {
        Issue.record("a full queue took work")
        return
      }
      let due = expected + shed * Int(interval) / 1_000
      #expect((due * 9 / 10...due * 11 / 10 + 1).contains(Int(milliseconds)), "shed \(shed)")
      #expect(shed == 0 || milliseconds > last, "who is shed later comes later")
      last = milliseconds
    }
  }

  @Test("a queue that stands still for long is not promised to move at its old rate")
  func standstill() {
    var scheduler = Scheduler(policy: Self.policy(capacity: 4))
    for key in 0..<4 { _ = Self.admit(&scheduler, key: key) }
    guard case .shed(_, let first) = Self.admit(&scheduler, key: 9, now: 1_000),
      case .shed(_, let second) = Self.admit(&scheduler, key: 9, now: 2_900_000)
    else {
      Issue.record("a full queue took work")
      return
    }
    #expect(first == 20)
    #expect(second == 8_700, "half of four and the one shed before, at 2.9 s each")
  }

  static func ticket(_ number: UInt64) throws -> Ticket {
    var scheduler = Scheduler(policy: SchedulerPolicy(workers: 2))
    var last: Ticket?
    for key in 1...number {
      if case .admitted(let ticket) = admit(&scheduler, key: Int(key)) { last = ticket }
    }
    return try #require(last)
  }

  static func isKeyLimit(_ admission: Admission) -> Bool {
    guard case .shed(.keyLimit, let milliseconds) = admission else { return false }
    return (10...30_000).contains(milliseconds)
  }
}
