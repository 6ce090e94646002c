import Dispatch
import Foundation
import SEDA
import Synchronization

/// The stages' shared pool: some threads that do what `StageScheduler` says, in its order (SEDA §3).
///
/// A work must not wait for anything: it ends, and what follows is offered as new work.
final class StagePool: Sendable {
  /// A piece of work: one of the two is called, once.
  struct Job: Sendable {
    let run: @Sendable () -> Void
    let expire: @Sendable () -> Void
    /// Works that had been started when it was admitted.
    let startedBefore: UInt64
  }

  struct State {
    var scheduler: StageScheduler<StageKey, Job>
    /// Threads that wait to be woken.
    var sleepers = 0
    var isStopped = false
    var started: UInt64 = 0
    /// By queue, the most works that were started between a work's admission and its start.
    var mostOvertaken: [Queue: UInt64] = [:]
  }

  struct Queue: Hashable {
    let stage: Stage
    let priority: Priority
  }

  private let state: Mutex<State>
  private let wake = DispatchSemaphore(value: 0)
  private let start = ContinuousClock.now

  /// Starts the threads.
  init(workers: Int) {
    let policy = SchedulerPolicy(workers: workers)
    state = Mutex(State(scheduler: StageScheduler(policy: policy)))
    for number in 1...workers {
      let thread = Thread { [self] in work() }
      thread.name = "ananta-stage-\(number)"
      thread.start()
    }
  }

  /// Offers work to a stage; the answer says whether it was taken, and then either is called, once, on a worker.
  func offer(
    _ key: StageKey, to stage: Stage, _ priority: Priority, expire: @escaping @Sendable () -> Void,
    run: @escaping @Sendable () -> Void
  ) -> Admission {
    let now = now
    let (admission, wakes) = state.withLock { state -> (Admission, Bool) in
      guard !state.isStopped else {
        return (.shed(.queueFull, retryAfterMilliseconds: UInt32(Limits.sleepMilliseconds)), false)
      }
      let job = Job(run: run, expire: expire, startedBefore: state.started)
      let admission = state.scheduler.admit(job, of: key, to: stage, priority, now: now)
      return (admission, state.wakeOne())
    }
    if wakes { wake.signal() }
    return admission
  }

  /// Lets the threads end when nothing waits any more.
  func stop() {
    let sleepers = state.withLock { state in
      state.isStopped = true
      defer { state.sleepers = 0 }
      return state.sleepers
    }
    for _ in 0..<sleepers { wake.signal() }
  }

  /// Whether it takes nothing any more.
  var isStopped: Bool { state.withLock { $0.isStopped } }

  /// What happened in a stage so far.
  func metrics(of stage: Stage) -> StageMetrics {
    state.withLock { $0.scheduler.metrics(of: stage) }
  }

  /// The most works that were started while one of this queue waited: what its place in the order is worth,
  /// whatever the machine's pace.
  func mostOvertaken(_ stage: Stage, _ priority: Priority) -> UInt64 {
    state.withLock { $0.mostOvertaken[Queue(stage: stage, priority: priority)] ?? 0 }
  }

  /// Works started so far.
  var started: UInt64 { state.withLock { $0.started } }

  private var now: UInt64 {
    let passed = (ContinuousClock.now - start).components
    return UInt64(passed.seconds) * 1_000_000 + UInt64(passed.attoseconds / 1_000_000_000_000)
  }

  // MARK: A worker

  private enum Step {
    case run(Work<StageKey, Job>)
    case expire(Job)
    case sleep(microseconds: UInt64)
    case end
  }

  private func work() {
    while true {
      switch next() {
      case .run(let work):
        work.payload.run()
        finish(work.ticket)
      case .expire(let job): job.expire()
      case .sleep(let microseconds):
        let result = wake.wait(timeout: .now() + .microseconds(Int(microseconds)))
        if result == .timedOut { state.withLock { $0.sleepers = max(0, $0.sleepers - 1) } }
      case .end: return
      }
    }
  }

  private func next() -> Step {
    let now = now
    return state.withLock { state in
      switch state.scheduler.next(now: now) {
      case .run(let work)?:
        state.noteStart(of: work)
        return .run(work)
      case .expired(let work)?: return .expire(work.payload)
      case nil:
        if state.isStopped, state.scheduler.length == 0 { return .end }
        state.sleepers += 1
        let longest = UInt64(Limits.sleepMilliseconds) * 1000
        let deadline = state.scheduler.nextDeadline.map { $0 - min($0, now) } ?? longest
        return .sleep(microseconds: min(deadline + 1, longest))
      }
    }
  }

  private func finish(_ ticket: Ticket) {
    let now = now
    let wakes = state.withLock { state in
      state.scheduler.finished(ticket, now: now)
      // What this worker may not take, since its rank has enough, another may by now.
      return state.scheduler.length > 0 && state.wakeOne()
    }
    if wakes { wake.signal() }
  }
}

extension StagePool.State {
  mutating func wakeOne() -> Bool {
    guard sleepers > 0 else { return false }
    sleepers -= 1
    return true
  }

  mutating func noteStart(of work: Work<StageKey, StagePool.Job>) {
    let queue = StagePool.Queue(stage: work.stage, priority: work.priority)
    mostOvertaken[queue] = max(mostOvertaken[queue] ?? 0, started - work.payload.startedBefore)
    started += 1
  }
}
