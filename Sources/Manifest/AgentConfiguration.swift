public import Control
public import Wire

/// What the agent's file says: which node this is and what it does; see `docs/configuration.md`.
public struct AgentConfiguration: Hashable, Sendable {
  /// How agents and managers protect what they say to one another.
  public enum Security: Hashable, Sendable {
    /// Not at all; for networks that nobody else can reach.
    case plaintext
    /// By TLS, with certificates on both sides; three PEM files.
    case tls(authority: String, certificate: String, key: String)
  }

  /// `metadata.name` of the node.
  public var node: String
  /// The underlay address of this node.
  public var address: IPv4Address
  /// Sorted by name, without repetition, never empty.
  public var roles: [Role]
  /// All replicas, at least one.
  public var managers: [ManagerAddress]
  /// Always said, never a default.
  public var security: Security
  /// A directory for state that outlives the process.
  public var dataDirectory: String
  /// Present exactly when the node is a MUX.
  public var mux: MuxConfiguration?
  /// Present exactly when the node is a host.
  public var host: HostConfiguration?
  /// Present exactly when the node is a manager.
  public var manager: ManagerConfiguration?

  /// Describes an agent.
  public init(
    node: String, address: IPv4Address, roles: [Role], managers: [ManagerAddress], security: Security,
    dataDirectory: String, mux: MuxConfiguration? = nil, host: HostConfiguration? = nil,
    manager: ManagerConfiguration? = nil
  ) {
    self.node = node
    self.address = address
    self.roles = roles
    self.managers = managers
    self.security = security
    self.dataDirectory = dataDirectory
    self.mux = mux
    self.host = host
    self.manager = manager
  }
}

/// What the role mux needs.
public struct MuxConfiguration: Hashable, Sendable {
  /// Worker threads; nil: one per core.
  public var workers: Int?
  /// Of the underlay, in bytes.
  public var mtu: Int
  /// How VIPs are announced.
  public var bgp: BGPConfiguration
  /// Which way packets take.
  public var path: MuxPath
  /// The devices that packets for VIPs arrive by; empty: those that hold the node's address.
  public var uplinks: [String]

  /// Describes a MUX.
  public init(
    workers: Int?, mtu: Int, bgp: BGPConfiguration, path: MuxPath = .auto, uplinks: [String] = []
  ) {
    self.workers = workers
    self.mtu = mtu
    self.bgp = bgp
    self.path = path
    self.uplinks = uplinks
  }
}

/// A BGP speaker (RFC 4271).
public struct BGPConfiguration: Hashable, Sendable {
  /// The speaker's autonomous system.
  public var localAS: UInt32
  /// The BGP identifier.
  public var routerID: IPv4Address
  /// 0: no keepalives; else at least 3.
  public var holdTimeSeconds: Int
  /// Between attempts to connect.
  public var connectRetryMilliseconds: Int
  /// The routers, at least one, each address once.
  public var neighbors: [BGPNeighbor]

  /// Describes a speaker.
  public init(
    localAS: UInt32, routerID: IPv4Address, holdTimeSeconds: Int, connectRetryMilliseconds: Int,
    neighbors: [BGPNeighbor]
  ) {
    self.localAS = localAS
    self.routerID = routerID
    self.holdTimeSeconds = holdTimeSeconds
    self.connectRetryMilliseconds = connectRetryMilliseconds
    self.neighbors = neighbors
  }
}

/// A router that a MUX announces its VIPs to.
public struct BGPNeighbor: Hashable, Sendable {
  /// Where it listens.
  public var address: IPv4Address
  /// Its autonomous system.
  public var remoteAS: UInt32
  /// The TCP port it listens on.
  public var port: UInt16
  /// The TCP MD5 password (RFC 2385), at most 80 bytes.
  public var password: String?

  /// Describes a router.
  public init(address: IPv4Address, remoteAS: UInt32, port: UInt16 = 179, password: String? = nil) {
    self.address = address
    self.remoteAS = remoteAS
    self.port = port
    self.password = password
  }
}

/// What the role host needs.
public struct HostConfiguration: Hashable, Sendable {
  /// Worker threads.
  public var workers: Int
  /// Of the underlay, in bytes.
  public var mtu: Int
  /// Devices that packets for the VMs arrive by; empty: those with the node's address.
  public var uplinks: [String]

  /// Describes a host.
  public init(workers: Int = 1, mtu: Int = 1500, uplinks: [String] = []) {
    self.workers = workers
    self.mtu = mtu
    self.uplinks = uplinks
  }
}

/// What the role manager needs.
public struct ManagerConfiguration: Hashable, Sendable {
  /// Where operators and agents connect.
  public var listen: ManagerAddress

  /// Describes a manager.
  public init(listen: ManagerAddress) { self.listen = listen }
}
