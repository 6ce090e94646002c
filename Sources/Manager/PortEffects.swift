import Control
import Wire

/// What an entry leads to besides the state: for the nodes, and for those who wait.
struct Effects {
  /// What each node has to do, sorted by node.
  var commands: [NodeCommands] = []
  /// New leases, which hosts are told of when all MUXes know them.
  var leases: [PortLease] = []
  /// Requests that got nothing.
  var refusals: [PortRefusal] = []
  /// How many ranges were recalled.
  var recalledCount = 0
}

/// What an entry does to leases, as commands.
struct PortEffects {
  private(set) var mux: [Command] = []
  private(set) var hosts: [String: [Command]] = [:]
  private(set) var leases: [PortLease] = []
  private(set) var recalledCount = 0

  /// A VM on this node has a new range.
  mutating func lease(_ lease: PortLease, on node: String) {
    mux.append(.setPortRange(lease))
    hosts[node, default: []].append(.leasePortRange(lease))
    leases.append(lease)
  }

  /// A VM on this node is to give a range back.
  mutating func recall(_ lease: PortLease, on node: String) {
    hosts[node, default: []].append(.recallPortRange(lease))
    recalledCount += 1
  }

  /// A VM on this node has given a range back.
  mutating func end(_ lease: PortLease, on node: String) {
    mux.append(.removePortRange(lease.range))
    hosts[node, default: []].append(.endPortRange(lease))
  }

  /// Nobody answers for the range any more.
  mutating func remove(_ range: PortRange) { mux.append(.removePortRange(range)) }

  /// Nobody needs the VIP any more.
  mutating func withdraw(_ vip: IPv4Address) { mux.append(.withdraw(vip)) }
}
