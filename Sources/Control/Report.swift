public import Wire

/// How an agent introduces itself on its stream.
public struct Hello: Codable, Hashable, Sendable {
  /// The node's name.
  public var node: String
  /// Sorted.
  public var roles: [Role]
  /// The highest epoch the agent has seen; 0 after a start.
  public var epoch: Epoch
  /// The revision it runs; 0 after a start.
  public var revision: Revision

  /// Describes the agent.
  public init(node: String, roles: [Role], epoch: Epoch, revision: Revision) {
    self.node = node
    self.roles = roles
    self.epoch = epoch
    self.revision = revision
  }
}

/// A change of a backend's health, seen by its host.
public struct HealthChange: Codable, Hashable, Sendable {
  /// The VM, by its locator.
  public var locator: IPv4Address
  /// The endpoint that was probed.
  public var key: EndpointKey
  /// Whether it can serve.
  public var isHealthy: Bool
  /// Why, in a few words: `connection refused`, `status 503`, `timed out`.
  public var reason: String

  /// Describes a change.
  public init(locator: IPv4Address, key: EndpointKey, isHealthy: Bool, reason: String) {
    self.locator = locator
    self.key = key
    self.isHealthy = isHealthy
    self.reason = reason
  }
}

/// A BGP session as a MUX reports it.
public struct BGPSessionStatus: Codable, Hashable, Sendable {
  /// The router.
  public var peer: IPv4Address
  /// `idle`, `connect`, `active`, `openSent`, `openConfirm`, `established`.
  public var state: String
  /// How long it has been in that state.
  public var secondsInState: Int
  /// How many prefixes are announced to it.
  public var announced: Int

  /// Describes a session.
  public init(peer: IPv4Address, state: String, secondsInState: Int, announced: Int) {
    self.peer = peer
    self.state = state
    self.secondsInState = secondsInState
    self.announced = announced
  }
}

/// A number that only grows, with the labels that tell it from its sisters.
public struct Counter: Codable, Hashable, Sendable {
  /// As Prometheus would name it: `ananta_mux_packets_total`.
  public var name: String
  /// Sorted by key when sent.
  public var labels: [String: String]
  /// Since the agent's start.
  public var value: UInt64

  /// Describes a counter.
  public init(name: String, labels: [String: String], value: UInt64) {
    self.name = name
    self.labels = labels
    self.value = value
  }
}

/// The way packets take through a node, of the ways its role knows.
public struct ForwardingPath: Codable, Hashable, Sendable {
  /// Whose packets.
  public var role: Role
  /// The device they come in by.
  public var device: String
  /// `xdp`, `tc`, `packet socket`, or `user space`.
  public var path: String
  /// Why it is not a faster one; empty for the fastest.
  public var reason: String

  /// Describes a way.
  public init(role: Role, device: String, path: String, reason: String = "") {
    self.role = role
    self.device = device
    self.path = path
    self.reason = reason
  }
}

/// What an agent says of itself from time to time.
public struct NodeStatistics: Codable, Hashable, Sendable {
  /// Sessions of the MUX role.
  public var bgp: [BGPSessionStatus]
  /// Everything that is counted.
  public var counters: [Counter]
  /// Sentences an operator should read: a device that is missing, a sysctl that cannot be set.
  public var problems: [String]
  /// The ways that packets take.
  public var paths: [ForwardingPath]
  /// The leased ports of the VMs that leave by a VIP, sorted by locator.
  public var ports: [PortStatus]

  /// Describes a node.
  public init(
    bgp: [BGPSessionStatus], counters: [Counter], problems: [String], paths: [ForwardingPath] = [],
    ports: [PortStatus] = []
  ) {
    self.bgp = bgp
    self.counters = counters
    self.problems = problems
    self.paths = paths
    self.ports = ports
  }
}

extension NodeStatistics {
  /// As much of it as a manager keeps; what was left out is said among the problems.
  public var trimmed: NodeStatistics {
    var room = Limits.statisticsOctets
    func fit<Item>(_ items: [Item], _ size: (Item) -> Int) -> [Item] {
      Array(
        items.prefix { item in
          room -= size(item)
          return room >= 0
        })
    }
    var kept = self
    kept.problems = fit(problems) { $0.utf8.count + 16 }
    kept.paths = fit(paths) { $0.device.utf8.count + $0.path.utf8.count + $0.reason.utf8.count + 16 }
    kept.ports = fit(ports) { _ in 64 }
    kept.bgp = fit(bgp) { $0.state.utf8.count + 32 }
    kept.counters = fit(counters) { counter in
      counter.labels.reduce(counter.name.utf8.count + 16) { $0 + $1.key.utf8.count + $1.value.utf8.count + 8 }
    }
    if room < 0 { kept.problems.append("the node says more of itself than a manager keeps") }
    return kept
  }
}

/// What an agent sends to its manager.
public enum Report: Codable, Hashable, Sendable {
  /// First on every stream.
  case hello(Hello)
  /// The node's data path runs this revision, ordered in this epoch.
  case acknowledged(Revision, Epoch)
  /// The node has seen a higher epoch than that of an update, and did not carry it out.
  case refused(Revision, highest: Epoch)
  /// Changes only; all that is known again after every snapshot has been carried out.
  case health([HealthChange])
  /// A VM needs more ports than it has.
  case portRequest(PortRequest)
  /// The host has stopped using these; said again, from time to time and on each new stream, until the manager has ended
  /// the lease (`Command.endPortRange`).
  case portsReturned([PortLease])
  /// Every second or so.
  case statistics(NodeStatistics)
}
