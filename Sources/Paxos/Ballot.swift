/// A ballot number ("The Part-Time Parliament" §2.2; "Paxos Made Simple" §2.2, proposal numbers).
///
/// Ballots are totally ordered, and two replicas never use the same one, since its owner is part of it. A
/// replica makes its ballot durable before anyone hears of it, so it does not use one twice either.
public struct Ballot: Codable, Hashable, Sendable, Comparable {
  /// The round, greater than all its owner has seen.
  public var round: UInt64
  /// Whose ballot it is.
  public var replica: ReplicaID

  /// The ballot before all others, which nobody owns.
  public static let none = Ballot(round: 0, replica: ReplicaID(0))

  /// Joins the two.
  public init(round: UInt64, replica: ReplicaID) {
    self.round = round
    self.replica = replica
  }

  /// By round, then by owner.
  public static func < (left: Ballot, right: Ballot) -> Bool {
    (left.round, left.replica) < (right.round, right.replica)
  }
}
