public import Control
public import Paxos

/// What a replica is told by its configuration.
public struct ReplicationSettings: Sendable {
  /// Its node's name.
  public var node: String
  /// Where it listens, as it stands in `managers`.
  public var address: ManagerAddress
  /// All managers, this one included.
  public var managers: [ManagerAddress]
  /// How fast to act.
  public var tuning: Tuning

  /// Describes a replica.
  public init(node: String, address: ManagerAddress, managers: [ManagerAddress], tuning: Tuning = Tuning()) {
    self.node = node
    self.address = address
    self.managers = managers
    self.tuning = tuning
  }
}
