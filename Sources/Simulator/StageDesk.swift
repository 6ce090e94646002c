import Control
import SEDA

/// The six stages in front of a manager, in simulated time.
struct StageDesk {
  enum Task: Sendable {
    /// An operator's request.
    case request(Ticket)
    /// All that the log has told.
    case configure
    /// An agent's report, on a stream.
    case report(Report, stream: Int)
  }
  enum Step {
    case done(Task)
    case expired(Task)
  }

  static let workers = 4

  private var driver: DeterministicDriver<String, Task>
  /// When it has something to do; nil when all is done.
  private(set) var nextMoment: Moment?

  init(seed: UInt64) {
    driver = DeterministicDriver(policy: SchedulerPolicy(workers: Self.workers), seed: seed) { stage in
      switch stage {
      case .vipValidation: 200...2_000
      case .vipConfiguration: 100...800
      case .routeManagement, .snatManagement: 50...200
      case .hostAgentManagement, .muxPoolManagement: 50...400
      }
    }
  }

  /// Takes a task; the milliseconds after which to come again, if it does not.
  mutating func submit(_ task: Task, key: String, _ stage: Stage, _ priority: Priority, at time: Moment)
    -> UInt32?
  {
    // Idle stages have no time of their own.
    if driver.nextMoment == nil { _ = driver.advance(to: UInt64(time)) }
    switch driver.submit(task, of: key, to: stage, priority) {
    case .admitted:
      // What is new starts at the next advance.
      nextMoment = min(nextMoment ?? time, time)
      return nil
    case .shed(_, let milliseconds): return milliseconds
    }
  }

  /// What is done, or given up, by then.
  mutating func advance(to time: Moment) -> [Step] {
    let events = driver.advance(to: UInt64(time))
    nextMoment = driver.nextMoment.map { Moment($0) }
    return events.compactMap { event in
      switch event.step {
      case .started: nil
      case .finished: .done(event.work.payload)
      case .expired: .expired(event.work.payload)
      }
    }
  }
}
