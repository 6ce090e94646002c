/// The manager's stages over one shared pool, as a value (SEDA §3; Ananta §4).
///
/// It owns no thread and no clock. A driver tells it what arrives and what is done, asks for work whenever something
/// changed, and gives each work to a worker:
///
///     switch scheduler.admit(request, of: tenant, to: .vipValidation, .normal, now: now) {
///     case .admitted: ...
///     case .shed(_, let milliseconds): answer(.retry(after: milliseconds))
///     }
///     while let dispatch = scheduler.next(now: now) {
///       switch dispatch {
///       case .run(let work): give work to an idle worker, which ends with scheduler.finished(work.ticket, now:)
///       case .expired(let work): answer(work, .expired)
///       }
///     }
///
/// Time is in microseconds of any clock; a clock that goes back counts as one that stands.
public struct StageScheduler<Key: Hashable & Sendable, Payload: Sendable>: Sendable {
  private struct Running: Sendable {
    let ticket: Ticket
    let position: Int
    let key: Key
    let startedAt: UInt64
  }

  /// The configuration.
  public let policy: SchedulerPolicy
  private var queues: [FairQueue<Key, Payload>]
  private var drains: [DrainRate]
  private var metrics: [QueueMetrics]
  private var stageLengths = Stage.allCases.map { _ in 0 }
  private var stageHighWaterMarks = Stage.allCases.map { _ in 0 }
  /// By queue, when its oldest work expires; never, for an empty one.
  private var deadlines: [UInt64]
  /// By rank, the positions of its queues.
  private let members: [[Int]]
  /// By rank, works that wait.
  private var backlogs = Rank.allCases.map { _ in 0 }
  /// By rank, the place in `members` that is looked at first.
  private var turns = Rank.allCases.map { _ in 0 }
  private var shares: RankShares
  /// At most as many as there are workers, so that a search costs nothing.
  private var running: [Running] = []
  private var busyByRank = Rank.allCases.map { _ in 0 }
  private var lastTicket: UInt64 = 0
  private var clock: UInt64 = 0

  /// Makes empty stages.
  public init(policy: SchedulerPolicy) {
    self.policy = policy
    queues = QueueIndex.all.map { FairQueue(policy: policy[$0.stage, $0.priority]) }
    drains = QueueIndex.all.map { _ in DrainRate() }
    metrics = QueueIndex.all.map { _ in QueueMetrics() }
    deadlines = QueueIndex.all.map { _ in .max }
    members = Rank.allCases.map { rank in
      QueueIndex.all.filter { policy[$0.stage, $0.priority].rank == rank }.map(\.position)
    }
    shares = RankShares(shares: Rank.allCases.map { policy[$0].sharePerMille })
  }

  /// Workers without work.
  public var idleWorkers: Int { policy.workers - running.count }

  /// Works that wait, in all stages.
  public var length: Int { stageLengths.reduce(0, +) }

  /// When the next waiting work expires, microseconds; a driver asks `next` then even if nothing else happened.
  public var nextDeadline: UInt64? { deadlines.filter { $0 < .max }.min() }

  /// What happened in a stage so far.
  public func metrics(of stage: Stage) -> StageMetrics {
    StageMetrics(
      stage: stage, queues: Priority.allCases.map { metrics[QueueIndex(stage, $0).position] },
      highWaterMark: stageHighWaterMarks[stage.rawValue])
  }

  /// Takes work into a stage, or says when to ask again.
  ///
  /// - Parameters:
  ///   - payload: what is to be done.
  ///   - key: whose turn it takes.
  ///   - stage: the stage that does it.
  ///   - priority: the queue of the stage.
  ///   - now: microseconds.
  /// - Returns: the ticket, or the reason and the milliseconds after which to ask again.
  public mutating func admit(
    _ payload: Payload, of key: Key, to stage: Stage, _ priority: Priority, now: UInt64
  ) -> Admission {
    let now = passed(to: now)
    let position = QueueIndex(stage, priority).position
    if let reason = queues[position].refusal(of: key) {
      metrics[position].shed(reason)
      return .shed(reason, retryAfterMilliseconds: retryAfter(reason, of: key, position, now: now))
    }
    lastTicket += 1
    let ticket = Ticket(number: lastTicket)
    let expiresAt = now + policy[stage, priority].ageLimitMicroseconds
    queues[position].append(
      Work(
        ticket: ticket, key: key, stage: stage, priority: priority, admittedAt: now, expiresAt: expiresAt,
        payload: payload))
    drains[position].admitted(now: now)
    metrics[position].admitted += 1
    lengthChanged(by: 1, stage: stage, position)
    return .admitted(ticket)
  }

  /// The next work to run or to answer as expired; nil when nothing can be done now.
  ///
  /// - Parameter now: microseconds.
  /// - Returns: what to do; asked again until it is nil.
  public mutating func next(now: UInt64) -> Dispatch<Key, Payload>? {
    let now = passed(to: now)
    let eligible = eligibleRanks()
    guard let rank = shares.choice(among: eligible), let position = queueInTurn(rank) else {
      return oldestExpired(now: now)
    }
    // The old works of this queue go first: they are older than all that may run.
    if let work = expired(in: position, now: now) { return .expired(work) }
    guard let work = queues[position].take() else { return nil }
    shares.served(rank, among: eligible)
    passTurn(rank, after: position)
    start(work, from: position, rank: rank, now: now)
    return .run(work)
  }

  /// Notes that a work which was run is done, and frees its worker.
  ///
  /// A ticket that does not run is a programmer's error.
  ///
  /// - Parameters:
  ///   - ticket: of the work.
  ///   - now: microseconds.
  public mutating func finished(_ ticket: Ticket, now: UInt64) {
    let now = passed(to: now)
    guard let index = running.firstIndex(where: { $0.ticket == ticket }) else {
      preconditionFailure("ticket that does not run")
    }
    let done = running.remove(at: index)
    busyByRank[queues[done.position].policy.rank.rawValue] -= 1
    queues[done.position].finished(done.key)
    metrics[done.position].finished += 1
    metrics[done.position].service.record(now - done.startedAt)
  }

  private mutating func passed(to now: UInt64) -> UInt64 {
    clock = max(clock, now)
    return clock
  }

  private mutating func retryAfter(
    _ reason: ShedReason, of key: Key, _ position: Int, now: UInt64
  ) -> UInt32 {
    switch reason {
    case .queueFull:
      drains[position].appointment(length: queues[position].count, now: now)
    case .keyLimit:
      drains[position].delay(
        turns: queues[position].shed(key), keys: queues[position].keysInTurn,
        service: metrics[position].service.mean, now: now)
    }
  }

  /// By rank, whether it has work and may take a worker.
  ///
  /// For it and each rank above, that rank and all below it must hold fewer workers than they may.
  private func eligibleRanks() -> [Bool] {
    var mayTake = idleWorkers > 0
    var busy = running.count
    return Rank.allCases.map { rank in
      mayTake = mayTake && busy < policy[rank].workers
      busy -= busyByRank[rank.rawValue]
      return mayTake && backlogs[rank.rawValue] > 0
    }
  }

  /// The stages of a rank take turns.
  private func queueInTurn(_ rank: Int) -> Int? {
    let count = members[rank].count
    return (0..<count).lazy.map { members[rank][(turns[rank] + $0) % count] }
      .first { deadlines[$0] < .max }
  }

  private mutating func passTurn(_ rank: Int, after position: Int) {
    guard let place = members[rank].firstIndex(of: position) else { return }
    turns[rank] = (place + 1) % members[rank].count
  }

  private mutating func start(_ work: Work<Key, Payload>, from position: Int, rank: Int, now: UInt64) {
    running.append(Running(ticket: work.ticket, position: position, key: work.key, startedAt: now))
    busyByRank[rank] += 1
    drains[position].took(now: now, remaining: queues[position].count)
    metrics[position].started += 1
    left(work, position, now: now)
  }

  private mutating func oldestExpired(now: UInt64) -> Dispatch<Key, Payload>? {
    guard let position = deadlines.firstIndex(where: { $0 <= now }) else { return nil }
    return expired(in: position, now: now).map { .expired($0) }
  }

  private mutating func expired(in position: Int, now: UInt64) -> Work<Key, Payload>? {
    guard let work = queues[position].takeExpired(now: now) else { return nil }
    drains[position].left(now: now, remaining: queues[position].count)
    metrics[position].expired += 1
    left(work, position, now: now)
    return work
  }

  private mutating func left(_ work: Work<Key, Payload>, _ position: Int, now: UInt64) {
    metrics[position].wait.record(now - work.admittedAt)
    lengthChanged(by: -1, stage: work.stage, position)
  }

  private mutating func lengthChanged(by change: Int, stage: Stage, _ position: Int) {
    deadlines[position] = queues[position].nextDeadline ?? .max
    metrics[position].length(is: queues[position].count)
    let length = stageLengths[stage.rawValue] + change
    stageLengths[stage.rawValue] = length
    stageHighWaterMarks[stage.rawValue] = max(stageHighWaterMarks[stage.rawValue], length)
    let rank = queues[position].policy.rank.rawValue
    backlogs[rank] += change
    if backlogs[rank] == 0 { shares.ranEmpty(rank) }
  }
}
