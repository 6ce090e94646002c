public import Control
public import Wire

/// What a lab shall consist of; read from YAML by `TopologyReader`.
public struct Topology: Codable, Hashable, Sendable {
  /// A node's end of its link to the router, which holds the first address of the prefix.
  public struct Link: Codable, Hashable, Sendable {
    /// The node's address.
    public var address: IPv4Address
    /// The link's subnet.
    public var prefix: IPv4Prefix

    /// The router's address on the link.
    public var router: IPv4Address { IPv4Address(number: prefix.address.number + 1) }
  }

  /// The one router that joins all links.
  public struct Router: Codable, Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Its BGP autonomous system.
    public var autonomousSystem: UInt32
    /// What it accepts from MUXes: /32 routes within these.
    public var vips: [IPv4Prefix]
  }

  /// A machine of "the internet".
  public struct Client: Codable, Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Its link.
    public var link: Link
  }

  /// A machine of the underlay that runs an agent.
  public struct Machine: Codable, Hashable, Sendable {
    /// As its manifest will say it.
    public var node: Node
    /// Its link; the address is the node's.
    public var link: Link
    /// The BGP autonomous system of a MUX.
    public var autonomousSystem: UInt32
    /// The way packets take through a MUX.
    public var path: MuxPath
  }

  /// A tenant's VM.
  public struct Guest: Codable, Hashable, Sendable {
    /// Its name.
    public var name: String
    /// Its virtual network.
    public var network: String
    /// Its address there.
    public var dip: IPv4Address
    /// The node that hosts it.
    public var host: String
    /// What its device is.
    public var device = DeviceKind.tun
  }

  /// What the lab runs in the VMs behind an endpoint.
  public enum Server: String, CaseIterable, Codable, Hashable, Sendable {
    /// nginx, whose pages say the VM's name.
    case http
    /// An iperf3 server.
    case iperf3
    /// Answers every datagram with the VM's name.
    case udp
  }

  /// How agents, managers and operators protect what they say to one another.
  public enum Security: String, CaseIterable, Codable, Hashable, Sendable {
    /// Mutual TLS, with certificates that the lab makes.
    case tls
    /// Not at all.
    case plaintext
  }

  /// A service and the servers behind its endpoints.
  public struct Offer: Codable, Hashable, Sendable {
    /// As its manifest will say it.
    public var service: Service
    /// Per endpoint; nil: the lab starts nothing.
    public var servers: [Server?]
  }

  /// MTU of every underlay link.
  public var mtu: Int
  /// Whether links and VM devices leave checksums and segmentation to "the hardware".
  public var offload: Bool
  /// How the control plane is protected.
  public var security: Security
  /// The router.
  public var router: Router
  /// Machines outside.
  public var clients: [Client]
  /// Servers of "the internet", which VMs ask: HTTP on port 80, datagrams on port 53.
  public var internet: [Client]
  /// Machines that run an agent.
  public var machines: [Machine]
  /// Tenants' networks.
  public var networks: [VirtualNetwork]
  /// Tenants' VMs.
  public var guests: [Guest]
  /// What the tenants offer.
  public var offers: [Offer]
}

extension Topology {
  /// Names of all members, each of which gets a namespace: router, clients, servers of the internet, nodes, VMs.
  public var members: [String] {
    [router.name] + clients.map(\.name) + internet.map(\.name) + machines.map(\.node.name)
      + guests.map(\.name)
  }

  /// The machine of that name.
  public func machine(_ name: String) -> Machine? { machines.first { $0.node.name == name } }

  /// The machines that hold a role.
  public func machines(with role: Role) -> [Machine] { machines.filter { $0.node.roles.contains(role) } }

  /// Has every MUX's packets take one way.
  public mutating func choose(path: String) throws(LabError) {
    guard let path = MuxPath(rawValue: path) else {
      let known = MuxPath.allCases.map(\.rawValue).joined(separator: ", ")
      throw LabError(.topology, "\(path) is no way of a MUX's packets; those are \(known).")
    }
    for index in machines.indices { machines[index].path = path }
  }

  /// Where managers listen.
  public static var managerPort: Int { 4600 }
}
