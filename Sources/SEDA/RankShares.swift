/// Strict priority between ranks, with a minimum share for each.
///
/// At each dispatch every rank that could be served gains its share as credit; at a full credit it goes first, which
/// costs that credit. So a rank with a share of s per mille waits for at most 1000/s dispatches, and one more for
/// each other rank that is due before it.
struct RankShares: Sendable {
  private let shares: [Int]
  private var credits: [Int]

  init(shares: [Int]) {
    self.shares = shares
    credits = shares.map { _ in 0 }
  }

  /// The rank to serve.
  ///
  /// - Parameter eligible: by rank, whether it has work and may take a worker.
  /// - Returns: its number; nil when none is eligible.
  func choice(among eligible: [Bool]) -> Int? {
    let due = eligible.indices.filter { eligible[$0] && credits[$0] >= Limits.fullShare }
    return due.max { credits[$0] < credits[$1] } ?? eligible.firstIndex(of: true)
  }

  /// Notes that a rank was served; all that were eligible gain.
  mutating func served(_ rank: Int, among eligible: [Bool]) {
    for index in eligible.indices where eligible[index] {
      credits[index] = min(credits[index] + shares[index], Limits.savedShare)
    }
    credits[rank] = max(0, credits[rank] - Limits.fullShare)
  }

  /// Notes that a rank has no work left: who has nothing to do saves nothing.
  mutating func ranEmpty(_ rank: Int) {
    credits[rank] = 0
  }
}
