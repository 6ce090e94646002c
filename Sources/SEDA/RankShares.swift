/// Strict priority between ranks, with a minimum share for each.
///
/// A rank that could have been served and was not gains its share as credit. At a full credit it goes first, once. So
/// a rank with a share of s per mille waits for at most 1000/s dispatches, and one more for each other rank that is
/// due before it.
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
  func choice(among eligible: [Bool]) -> Int? {
    let due = eligible.indices.filter { eligible[$0] && credits[$0] >= Limits.fullShare }
    return due.max { credits[$0] < credits[$1] } ?? eligible.firstIndex(of: true)
  }

  /// Notes that a rank was served; the others that were eligible gain.
  mutating func served(_ rank: Int, among eligible: [Bool]) {
    for other in eligible.indices where eligible[other] && other != rank {
      credits[other] = min(credits[other] + shares[other], Limits.savedShare)
    }
    credits[rank] = max(0, credits[rank] - Limits.fullShare)
  }

  /// Notes that a rank has no work left: who has nothing to do saves nothing.
  mutating func ranEmpty(_ rank: Int) {
    credits[rank] = 0
  }
}
