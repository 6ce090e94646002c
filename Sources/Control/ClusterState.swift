public import Wire

/// A node and how it is.
public struct NodeStatus: Codable, Hashable, Sendable {
  /// As configured.
  public var node: Node
  /// Whether its agent has a stream to the manager.
  public var isConnected: Bool
  /// What its data path runs, as last acknowledged.
  public var revision: Revision
  /// What it last said of itself.
  public var statistics: NodeStatistics?

  /// Describes a node.
  public init(node: Node, isConnected: Bool, revision: Revision, statistics: NodeStatistics?) {
    self.node = node
    self.isConnected = isConnected
    self.revision = revision
    self.statistics = statistics
  }
}

/// A VM and the locator it was given.
public struct MachineStatus: Codable, Hashable, Sendable {
  /// As configured.
  public var machine: VirtualMachine
  /// Assigned by the manager out of its host's prefix.
  public var locator: IPv4Address

  /// Describes a VM.
  public init(machine: VirtualMachine, locator: IPv4Address) {
    self.machine = machine
    self.locator = locator
  }
}

/// What is known of a backend's health.
public enum Health: String, Codable, Hashable, Sendable {
  /// Its host has not reported yet; it gets no connections.
  case unknown
  case healthy, unhealthy
  /// Has no probe and counts as healthy.
  case unprobed
}

/// A backend of an endpoint and how it is.
public struct BackendStatus: Codable, Hashable, Sendable {
  /// As configured.
  public var backend: Backend
  /// Its VM's locator.
  public var locator: IPv4Address
  /// As its host reported it.
  public var health: Health
  /// Why, in a few words.
  public var reason: String

  /// Describes a backend.
  public init(backend: Backend, locator: IPv4Address, health: Health, reason: String) {
    self.backend = backend
    self.locator = locator
    self.health = health
    self.reason = reason
  }
}

/// A service and how it is.
public struct ServiceStatus: Codable, Hashable, Sendable {
  /// As configured.
  public var service: Service
  /// Per endpoint, in the order of the manifest, its backends.
  public var backends: [[BackendStatus]]
  /// Whether the MUXes are told to announce the VIP.
  public var isAnnounced: Bool

  /// Describes a service.
  public init(service: Service, backends: [[BackendStatus]], isAnnounced: Bool) {
    self.service = service
    self.backends = backends
    self.isAnnounced = isAnnounced
  }
}

/// The data centre as a manager knows it; each list is sorted by name.
public struct ClusterState: Codable, Hashable, Sendable {
  /// Of the newest committed entry.
  public var revision: Revision
  /// Of the manager that answers.
  public var epoch: Epoch
  /// All nodes.
  public var nodes: [NodeStatus]
  /// All virtual networks.
  public var networks: [VirtualNetwork]
  /// All VMs.
  public var machines: [MachineStatus]
  /// All services.
  public var services: [ServiceStatus]
  /// The ports of each VIP that VMs leave by, by VIP.
  public var ports: [PortPoolStatus]

  /// Describes a data centre.
  public init(
    revision: Revision, epoch: Epoch, nodes: [NodeStatus], networks: [VirtualNetwork],
    machines: [MachineStatus], services: [ServiceStatus], ports: [PortPoolStatus] = []
  ) {
    self.revision = revision
    self.epoch = epoch
    self.nodes = nodes
    self.networks = networks
    self.machines = machines
    self.services = services
    self.ports = ports
  }
}
