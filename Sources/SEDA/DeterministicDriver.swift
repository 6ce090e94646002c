/// Runs the stages in simulated time, in one thread: the same seed and the same calls give the same events.
///
/// Workers are places in an array; how long a work takes is drawn from its stage's bounds. It stands beside the
/// threaded driver, which does the same with threads and a clock.
public struct DeterministicDriver<Key: Hashable & Sendable, Payload: Sendable>: Sendable {
  private struct Busy: Sendable {
    let doneAt: UInt64
    let work: Work<Key, Payload>
  }

  /// The stages; for their metrics.
  public private(set) var scheduler: StageScheduler<Key, Payload>
  /// Simulated time, microseconds.
  public private(set) var now: UInt64
  /// How long works take, by stage, microseconds.
  private let serviceMicroseconds: [ClosedRange<UInt64>]
  private var numbers: SeededNumbers
  private var busy: [Busy] = []

  /// Makes a driver with idle workers.
  ///
  /// - Parameters:
  ///   - policy: of the stages.
  ///   - seed: from which service times are drawn.
  ///   - now: where simulated time begins, microseconds.
  ///   - serviceMicroseconds: bounds of the service time of each stage.
  public init(
    policy: SchedulerPolicy, seed: UInt64, now: UInt64 = 0,
    serviceMicroseconds: (Stage) -> ClosedRange<UInt64>
  ) {
    scheduler = StageScheduler(policy: policy)
    self.now = now
    self.serviceMicroseconds = Stage.allCases.map(serviceMicroseconds)
    numbers = SeededNumbers(seed: seed)
  }

  /// When something happens without new work, microseconds; nil when all is done.
  public var nextMoment: UInt64? {
    let done = busy.reduce(UInt64.max) { min($0, $1.doneAt) }
    let moment = min(done, scheduler.nextDeadline ?? .max)
    return moment < .max ? moment : nil
  }

  /// Takes work into a stage at the present moment; it starts at the next `advance`.
  ///
  /// - Parameters:
  ///   - payload: what is to be done.
  ///   - key: whose turn it takes.
  ///   - stage: the stage that does it.
  ///   - priority: the queue of the stage.
  /// - Returns: the scheduler's answer.
  public mutating func submit(
    _ payload: Payload, of key: Key, to stage: Stage, _ priority: Priority
  ) -> Admission {
    scheduler.admit(payload, of: key, to: stage, priority, now: now)
  }

  /// Lets time pass.
  ///
  /// - Parameter moment: the time that will be, microseconds; one that is over changes nothing.
  /// - Returns: what happened until then, in order.
  public mutating func advance(to moment: UInt64) -> [DriverEvent<Key, Payload>] {
    var events = dispatch()
    while let next = nextMoment, next <= moment {
      now = max(now, next)
      events += finish()
      events += dispatch()
    }
    now = max(now, moment)
    return events
  }

  private mutating func dispatch() -> [DriverEvent<Key, Payload>] {
    var events: [DriverEvent<Key, Payload>] = []
    while let dispatch = scheduler.next(now: now) {
      switch dispatch {
      case .run(let work):
        let service = numbers.next(in: serviceMicroseconds[work.stage.rawValue])
        busy.append(Busy(doneAt: now + service, work: work))
        events.append(DriverEvent(at: now, step: .started, work: work))
      case .expired(let work):
        events.append(DriverEvent(at: now, step: .expired, work: work))
      }
    }
    return events
  }

  private mutating func finish() -> [DriverEvent<Key, Payload>] {
    let done = busy.filter { $0.doneAt <= now }
    busy.removeAll { $0.doneAt <= now }
    return done.map { job in
      scheduler.finished(job.work.ticket, now: now)
      return DriverEvent(at: now, step: .finished, work: job.work)
    }
  }
}
