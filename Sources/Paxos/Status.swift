/// What a replica knows of itself and its cluster, for operators.
public struct Status: Codable, Hashable, Sendable {
  /// What it is to the others.
  public enum Role: String, Codable, Hashable, Sendable {
    /// It learns, and does not vote.
    case learner
    /// It votes.
    case follower
    /// It stands for election, or prepares a ballot.
    case candidate
    /// It leads.
    case leader
  }
  /// What it is.
  public var role: Role
  /// The highest ballot it has promised.
  public var ballot: Ballot
  /// Who leads, if it knows.
  public var leader: ReplicaID?
  /// The last slot it knows to be chosen, all before included.
  public var committed: Slot
  /// The last slot of its snapshot.
  public var snapshot: Slot
  /// Who votes in the next slot.
  public var voters: [ReplicaID]
  /// Who votes after a change that is decided and not in force yet.
  public var comingVoters: [ReplicaID]?
}

extension Replica {
  /// How it is.
  public var status: Status {
    let next = committed.next
    let coming = memberships.last { $0.since > next }
    return Status(
      role: role, ballot: promised, leader: leadership == nil ? leader : id, committed: committed,
      snapshot: snapshot.slot, voters: membership(at: next)?.voters ?? [], comingVoters: coming?.voters)
  }

  private var role: Status.Role {
    if leadership != nil { return .leader }
    if campaign != nil { return .candidate }
    return membership(at: committed.next)?.voters.contains(id) == true ? .follower : .learner
  }

  /// Until when, on its own clock, nobody else can lead; nothing if it does not lead or may not act yet.
  public var leaseEnd: Milliseconds? {
    guard let leadership, committed >= leadership.barrier else { return nil }
    return leadership.leaseEnd
  }

  /// Whether it may answer reads at this time of its clock.
  public func holdsLease(at now: Milliseconds) -> Bool {
    leaseEnd.map { now < $0 } ?? false
  }
}
