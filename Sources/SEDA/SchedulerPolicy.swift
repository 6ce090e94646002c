/// The stages as configuration: their queues, the ranks, and the one pool they share.
public struct SchedulerPolicy: Equatable, Sendable {
  /// Workers of the shared pool (Ananta §4: stages share a pool, so that the number of threads is limited).
  public let workers: Int
  private var ranks: [RankPolicy]
  private var queues: [QueuePolicy]

  /// The policy of a rank.
  public subscript(rank: Rank) -> RankPolicy {
    get { ranks[rank.rawValue] }
    set {
      ranks[rank.rawValue] = newValue
      check()
    }
  }

  /// The policy of a queue.
  public subscript(stage: Stage, priority: Priority) -> QueuePolicy {
    get { queues[QueueIndex(stage, priority).position] }
    set { queues[QueueIndex(stage, priority).position] = newValue }
  }

  /// The product's policy, whose reasons stand in `docs/seda.md`.
  ///
  /// - Parameter workers: size of the shared pool, 2 to 64; with fewer than two nothing could be kept for
  ///   higher ranks.
  public init(workers: Int) {
    precondition((2...Limits.workers).contains(workers), "size of the pool out of range")
    self.workers = workers
    ranks = Rank.allCases.map { Self.policy(of: $0, workers: workers) }
    queues = QueueIndex.all.map { Self.policy(of: $0.stage, $0.priority) }
    check()
  }

  private func check() {
    precondition(ranks.allSatisfy { $0.workers <= workers }, "rank with more workers than the pool has")
    let shares = ranks.reduce(0) { $0 + $1.sharePerMille }
    precondition(shares < Limits.fullShare, "shares that leave nothing to strict priority")
  }

  /// Of eight workers one is kept for urgent work, two for it and operators' changes, three for all but requests.
  private static func policy(of rank: Rank, workers: Int) -> RankPolicy {
    switch rank {
    case .urgent: RankPolicy(workers: workers, sharePerMille: 0)
    case .configuration: RankPolicy(workers: workers - workers / 8, sharePerMille: 100)
    case .bulk: RankPolicy(workers: workers - max(1, workers / 4), sharePerMille: 50)
    case .request: RankPolicy(workers: workers - max(1, workers * 3 / 8), sharePerMille: 100)
    case .upkeep: RankPolicy(workers: max(1, workers / 2), sharePerMille: 50)
    case .background: RankPolicy(workers: max(1, workers / 4), sharePerMille: 20)
    }
  }

  private static func policy(of stage: Stage, _ priority: Priority) -> QueuePolicy {
    switch stage {
    case .vipValidation, .vipConfiguration:
      // A manifest may have megabytes, so few wait; a caller gives up after half a minute.
      QueuePolicy(
        rank: rank(priority, .urgent, .configuration, .bulk), capacity: 256,
        ageLimitMicroseconds: 30_000_000, outstandingPerKey: 32)
    case .routeManagement:
      // A route that is wrong stays wrong until it is changed, so that work grows old before it is given up.
      QueuePolicy(
        rank: rank(priority, .urgent, .configuration, .background), capacity: 1_024,
        ageLimitMicroseconds: 60_000_000, outstandingPerKey: 64)
    case .snatManagement:
      // A host holds the first packet; its sender repeats it after 1 and 3 s and the host asks again then. A host's VMs
      // do not wait for one another: one request of each VM of a host.
      QueuePolicy(
        rank: rank(priority, .request, .upkeep, .background), capacity: 4_096,
        ageLimitMicroseconds: 3_000_000, outstandingPerKey: 1_024)
    case .hostAgentManagement:
      // Thousands of hosts report at once after a new primary; a report older than 10 s has a successor.
      QueuePolicy(
        rank: rank(priority, .urgent, .request, .background), capacity: 8_192,
        ageLimitMicroseconds: 10_000_000, outstandingPerKey: 8)
    case .muxPoolManagement:
      QueuePolicy(
        rank: rank(priority, .urgent, .configuration, .background), capacity: 1_024,
        ageLimitMicroseconds: 10_000_000, outstandingPerKey: 64)
    }
  }

  private static func rank(_ priority: Priority, _ high: Rank, _ normal: Rank, _ low: Rank) -> Rank {
    switch priority {
    case .high: high
    case .normal: normal
    case .low: low
    }
  }
}
