import SEDA
import Testing

/// Calls drawn by lot from a seed; what must always hold is looked at after every one.
struct InvariantTests {
  /// A scheduler beside a model of what it may hold.
  struct Checked {
    let policy: SchedulerPolicy
    var scheduler: StageScheduler<Int, Int>
    var numbers: SeededNumbers
    var now: UInt64 = 0
    var admitted: [Ticket: (Stage, Priority, Int)] = [:]
    var running: [Work<Int, Int>] = []
    var ended: Set<Ticket> = []
    var lastDispatched: [String: Ticket] = [:]
    var sheds = 0

    init(policy: SchedulerPolicy, seed: UInt64) {
      self.policy = policy
      scheduler = StageScheduler(policy: policy)
      numbers = SeededNumbers(seed: seed)
    }

    mutating func pick(_ count: Int) -> Int { Int(numbers.next(in: 0...UInt64(count - 1))) }

    mutating func step() {
      now += numbers.next(in: 0...400)
      switch pick(10) {
      case 0...5: admit()
      case 6...7: if let dispatch = scheduler.next(now: now) { note(dispatch) }
      case 8: while let dispatch = scheduler.next(now: now) { note(dispatch) }
      default: finishOne()
      }
    }

    mutating func admit() {
      let stage = Stage.allCases[pick(Stage.allCases.count)]
      let priority = Priority.allCases[pick(Priority.allCases.count)]
      let key = pick(6)
      let outstanding = admitted.values.count { $0 == (stage, priority, key) }
      let length = scheduler.metrics(of: stage)[priority].length
      switch scheduler.admit(0, of: key, to: stage, priority, now: now) {
      case .admitted(let ticket):
        #expect(admitted[ticket] == nil && !ended.contains(ticket))
        #expect(outstanding < policy[stage, priority].outstandingPerKey)
        #expect(length < policy[stage, priority].capacity)
        admitted[ticket] = (stage, priority, key)
      case .shed(let reason, let milliseconds):
        sheds += 1
        #expect((10...30_000).contains(milliseconds))
        switch reason {
        case .keyLimit: #expect(outstanding == policy[stage, priority].outstandingPerKey)
        case .queueFull: #expect(length == policy[stage, priority].capacity)
        }
      }
    }

    mutating func note(_ dispatch: Dispatch<Int, Int>) {
      switch dispatch {
      case .run(let work):
        #expect(work.expiresAt > now && !running.contains { $0.ticket == work.ticket })
        running.append(work)
        noteOrder(of: work)
      case .expired(let work):
        #expect(work.expiresAt <= now)
        end(work)
        noteOrder(of: work)
      }
    }

    mutating func noteOrder(of work: Work<Int, Int>) {
      let line = "\(work.stage.name) \(work.priority.name) \(work.key)"
      if let last = lastDispatched[line] { #expect(last < work.ticket, "first come, first served") }
      lastDispatched[line] = work.ticket
    }

    mutating func finishOne() {
      guard !running.isEmpty else { return }
      let work = running.remove(at: pick(running.count))
      scheduler.finished(work.ticket, now: now)
      end(work)
    }

    mutating func end(_ work: Work<Int, Int>) {
      #expect(admitted.removeValue(forKey: work.ticket) != nil, "a work ended twice or was never admitted")
      #expect(ended.insert(work.ticket).inserted)
    }

    func check() {
      #expect(running.count == policy.workers - scheduler.idleWorkers)
      for rank in Rank.allCases {
        let busy = running.count { policy[$0.stage, $0.priority].rank >= rank }
        #expect(busy <= policy[rank].workers)
      }
      for stage in Stage.allCases {
        let metrics = scheduler.metrics(of: stage)
        for priority in Priority.allCases {
          let queue = metrics[priority]
          #expect(queue.length <= policy[stage, priority].capacity)
          #expect(queue.highWaterMark <= policy[stage, priority].capacity)
          #expect(queue.admitted == UInt64(queue.length) + queue.started + queue.expired)
          #expect(queue.wait.count == queue.started + queue.expired)
          #expect(queue.service.count == queue.finished)
        }
      }
    }
  }

  static func tightPolicy(workers: Int) -> SchedulerPolicy {
    var policy = SchedulerPolicy(workers: workers)
    for (place, stage) in Stage.allCases.enumerated() {
      for priority in Priority.allCases {
        policy[stage, priority].capacity = 3 + place
        policy[stage, priority].outstandingPerKey = 1 + priority.rawValue
        policy[stage, priority].ageLimitMicroseconds = 5_000 * UInt64(1 + place)
      }
    }
    return policy
  }

  @Test("bounds hold after every call, and every admitted work ends exactly once", arguments: 1...24)
  func invariants(seed: Int) {
    let workers = [2, 3, 8, 16][seed % 4]
    var checked = Checked(policy: Self.tightPolicy(workers: workers), seed: UInt64(seed))
    for _ in 0..<600 {
      checked.step()
      checked.check()
    }
    while !checked.running.isEmpty || checked.scheduler.length > 0 {
      while let dispatch = checked.scheduler.next(now: checked.now) { checked.note(dispatch) }
      checked.finishOne()
      checked.check()
    }
    #expect(checked.admitted.isEmpty)
    #expect(checked.ended.count > 100 && checked.sheds > 0)
    let expired = Stage.allCases.reduce(0) { $0 + checked.scheduler.metrics(of: $1).expired }
    #expect(expired > 0)
  }
}
