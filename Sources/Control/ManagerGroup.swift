/// One of the managers, as the one that answers knows it.
public struct ManagerStatus: Codable, Hashable, Sendable {
  /// What a manager is to the others.
  public enum Role: String, Codable, Hashable, Sendable, CaseIterable {
    /// It has no disk that belongs to a cluster yet, and waits for the other founders.
    case forming
    /// It learns, and has no vote.
    case learner
    case follower, candidate, leader
    /// It runs without its log: the disk takes no writes, or cannot be read.
    case halted
    /// Configured or voting, and not heard of.
    case unreachable
  }
  /// Its node's name; empty for one that was never heard of.
  public var node: String
  /// Where it listens.
  public var address: ManagerAddress
  /// Its disk's identifier; 0 for one that was never heard of.
  public var replica: UInt64
  /// What it is.
  public var role: Role
  /// Whether its vote counts.
  public var isVoter: Bool
  /// The highest ballot it has promised.
  public var ballot: Epoch
  /// The last slot of its log that it knows to be chosen.
  public var committed: UInt64
  /// The last slot of its snapshot.
  public var snapshot: UInt64
  /// For how long it has been what it is.
  public var seconds: UInt64
  /// How long ago it was heard of; 0 for the one that answers.
  public var silentMilliseconds: UInt64

  /// Describes a manager.
  public init(
    node: String, address: ManagerAddress, replica: UInt64, role: Role, isVoter: Bool, ballot: Epoch,
    committed: UInt64, snapshot: UInt64, seconds: UInt64, silentMilliseconds: UInt64
  ) {
    self.node = node
    self.address = address
    self.replica = replica
    self.role = role
    self.isVoter = isVoter
    self.ballot = ballot
    self.committed = committed
    self.snapshot = snapshot
    self.seconds = seconds
    self.silentMilliseconds = silentMilliseconds
  }
}

/// All managers, and who answers for them.
public struct ManagerGroup: Codable, Hashable, Sendable {
  /// The node whose manager answers.
  public var answering: String
  /// The cluster's identifier; 0 as long as it is forming.
  public var cluster: UInt64
  /// Sorted by node, then by address.
  public var managers: [ManagerStatus]
  /// Why the log of the one that answers does not run; empty when it does.
  public var obstacle: String
  /// What the one that answers has counted: its stages, its log, its connections.
  public var counters: [Counter]

  /// Describes the group.
  public init(
    answering: String, cluster: UInt64, managers: [ManagerStatus], obstacle: String = "",
    counters: [Counter] = []
  ) {
    self.answering = answering
    self.cluster = cluster
    self.managers = managers
    self.obstacle = obstacle
    self.counters = counters
  }

  /// How many entries a manager lacks of those that anybody is known to have.
  public func lag(of manager: ManagerStatus) -> UInt64 {
    let newest = managers.map(\.committed).max() ?? 0
    return newest - min(manager.committed, newest)
  }
}

/// A change of the managers; nodes are named.
public enum ManagerChange: Codable, Hashable, Sendable {
  /// The node's manager gets a vote; it must be running and have caught up.
  case add(String)
  /// The node's manager, or the replica whose identifier in hexadecimal is given, loses its vote.
  case remove(String)
  /// The node's manager shall lead.
  case transfer(to: String)

  /// The name in it, as an operator wrote it.
  public var name: String {
    switch self {
    case .add(let node), .remove(let node), .transfer(let node): node
    }
  }

  /// As it is kept in the audit records.
  public var note: String {
    switch self {
    case .add(let node): "added the manager of \(node)"
    case .remove(let node): "removed the manager of \(node)"
    case .transfer(let node): "handed leadership to the manager of \(node)"
    }
  }
}
