public import Control
public import Paxos

/// How a manager is, as it tells the others about every second.
public struct PeerStatus: Codable, Hashable, Sendable {
  /// Its disk.
  public var replica: ReplicaID
  /// What it is.
  public var role: ManagerStatus.Role
  /// Whether its vote counts, as far as it knows.
  public var isVoter: Bool
  /// The highest ballot it has promised.
  public var ballot: Ballot
  /// The last slot it knows to be chosen.
  public var committed: Slot
  /// The last slot of its snapshot.
  public var snapshot: Slot
  /// For how long it has been what it is.
  public var seconds: UInt64

  /// Describes a manager.
  public init(
    replica: ReplicaID, role: ManagerStatus.Role, isVoter: Bool, ballot: Ballot, committed: Slot,
    snapshot: Slot, seconds: UInt64
  ) {
    self.replica = replica
    self.role = role
    self.isVoter = isVoter
    self.ballot = ballot
    self.committed = committed
    self.snapshot = snapshot
    self.seconds = seconds
  }
}
