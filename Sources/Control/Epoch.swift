/// Whose orders count: a primary's ballot.
///
/// Agents refuse commands of an epoch below the highest they saw (`system.md` §6, fencing). Ballots are totally
/// ordered, and no two primaries ever have the same, since the replica is part of it.
public struct Epoch: Codable, Hashable, Comparable, Sendable {
  /// Grows with each election.
  public var round: UInt64
  /// The replica whose ballot it is; settles which of two elections of one round is the later.
  public var replica: UInt64

  /// Before the first primary.
  public static let none = Epoch(0)

  /// Joins the two.
  public init(_ round: UInt64, replica: UInt64 = 0) {
    self.round = round
    self.replica = replica
  }

  /// Orders by round, then by replica.
  public static func < (a: Self, b: Self) -> Bool { (a.round, a.replica) < (b.round, b.replica) }
}

extension Epoch: CustomStringConvertible {
  /// The round and, behind a point, the replica in hexadecimal: `7.c0ffee`.
  public var description: String { replica == 0 ? "\(round)" : "\(round).\(String(replica, radix: 16))" }
}
