/// What a rank may take of the shared pool, and what it gets at least.
public struct RankPolicy: Equatable, Sendable {
  /// Workers that may be busy at once with this rank and all below it; the others are kept for higher ranks.
  public var workers: Int
  /// Of a thousand dispatches in which the rank could take part, those that it gets at least.
  public var sharePerMille: Int

  /// Makes a policy.
  ///
  /// - Parameters:
  ///   - workers: workers that this rank and all below it may hold at once, at least 1.
  ///   - sharePerMille: the guaranteed share of dispatches, 0 to 999.
  public init(workers: Int, sharePerMille: Int) {
    precondition(workers > 0, "rank without a worker")
    precondition((0..<Limits.fullShare).contains(sharePerMille), "share of a rank out of range")
    self.workers = workers
    self.sharePerMille = sharePerMille
  }
}
