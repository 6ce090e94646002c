/// Who votes, and from which slot on ("Paxos Made Simple" §3, the last paragraphs).
///
/// The membership of slot `i` is settled by the entries up to slot `i - Limits.window`, and a leader proposes
/// no further than that ahead of what it knows to be chosen; so everyone who proposes in a slot agrees on
/// whose votes count there.
public struct Membership: Codable, Hashable, Sendable {
  /// The change of one voter.
  ///
  /// With one at a time every majority of the membership before meets every majority of the one after, so
  /// that a lease given under the former still holds off a leader of the latter.
  public enum Change: Codable, Hashable, Sendable {
    /// A replica that has caught up gets a vote.
    case add(ReplicaID)
    /// A replica loses its vote.
    case remove(ReplicaID)
  }

  /// Those who vote, in order.
  public let voters: [ReplicaID]
  /// The first slot in which they do.
  public let since: Slot
  /// The slot of the entry that says so; 0 for the founders.
  public let decided: Slot

  /// Those who founded the cluster.
  public init(founders: [ReplicaID]) {
    voters = Set(founders).sorted()
    since = Slot(1)
    decided = .none
  }

  /// A membership that another replica has sent; nil if it cannot be one.
  public init?(voters: [ReplicaID], since: Slot, decided: Slot) {
    let isOrdered = zip(voters, voters.dropFirst()).allSatisfy { $0 < $1 }
    guard isOrdered, (1...Limits.voters).contains(voters.count) else { return nil }
    self.init(voters: voters, decided: decided)
    guard since == self.since else { return nil }
  }

  /// Puts together what a store says; since when they vote follows from the slot of the entry.
  public init(voters: [ReplicaID], decided: Slot) {
    self.voters = voters
    self.decided = decided
    since = decided == .none ? Slot(1) : decided.advanced(by: Limits.window)
  }

  /// Votes that decide.
  public var majority: Int { voters.count / 2 + 1 }

  /// What this membership becomes by a change decided in a slot; nothing if the change changes nothing.
  ///
  /// A change that would leave nobody, too many, or that comes before this membership is in force is void:
  /// the rule is part of the log's meaning, and each replica applies it alike.
  public func changed(by change: Change, decided slot: Slot) -> Membership? {
    guard slot >= since else { return nil }
    switch change {
    case .add(let replica):
      guard !voters.contains(replica), voters.count < Limits.voters else { return nil }
      return Membership(voters: (voters + [replica]).sorted(), decided: slot)
    case .remove(let replica):
      guard voters.contains(replica), voters.count > 1 else { return nil }
      return Membership(voters: voters.filter { $0 != replica }, decided: slot)
    }
  }
}
