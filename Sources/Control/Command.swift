public import Wire

/// The number of the committed entry that made a state; 0 is the empty data centre.
public struct Revision: Codable, Hashable, Comparable, Sendable {
  /// Grows by one with each committed entry.
  public var number: UInt64

  /// Wraps the number.
  public init(_ number: UInt64) { self.number = number }

  /// Orders by number.
  public static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}

/// A backend as a MUX knows it.
public struct MuxBackend: Codable, Hashable, Sendable {
  /// The outer destination of its packets.
  public var locator: IPv4Address
  /// Its share of new connections; 0 takes none.
  public var weight: Int

  /// Describes a backend.
  public init(locator: IPv4Address, weight: Int) {
    self.locator = locator
    self.weight = weight
  }
}

/// An endpoint as a MUX knows it: only backends whose servers answer.
public struct MuxEndpoint: Codable, Hashable, Sendable {
  /// VIP, protocol, port.
  public var key: EndpointKey
  /// Healthy backends, also those of weight 0, which finish what they have; sorted by locator.
  public var backends: [MuxBackend]
  /// What chooses the backend.
  public var affinity: Affinity
  /// When a silent flow is forgotten.
  public var idleTimeoutMilliseconds: Int

  /// Describes an endpoint.
  public init(key: EndpointKey, backends: [MuxBackend], affinity: Affinity, idleTimeoutMilliseconds: Int) {
    self.key = key
    self.backends = backends
    self.affinity = affinity
    self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
  }
}

/// A VM as its host knows it.
public struct HostMachine: Codable, Hashable, Sendable {
  /// The VM's name.
  public var name: String
  /// Its virtual network.
  public var network: String
  /// Its address within the network.
  public var dip: IPv4Address
  /// Its underlay address, out of the host's locator prefix.
  public var locator: IPv4Address
  /// Its device.
  public var attachment: Attachment

  /// Describes a VM.
  public init(name: String, network: String, dip: IPv4Address, locator: IPv4Address, attachment: Attachment) {
    self.name = name
    self.network = network
    self.dip = dip
    self.locator = locator
    self.attachment = attachment
  }
}

/// What a host does with an endpoint's packets for one of its VMs.
public struct HostEndpoint: Codable, Hashable, Sendable {
  /// The VM, by its locator.
  public var locator: IPv4Address
  /// VIP, protocol, port.
  public var key: EndpointKey
  /// The port at the DIP.
  public var backendPort: UInt16
  /// When a silent flow is forgotten.
  public var idleTimeoutMilliseconds: Int
  /// How its health is found out; nil: it counts as healthy.
  public var probe: Probe?

  /// Describes an endpoint of one VM.
  public init(
    locator: IPv4Address, key: EndpointKey, backendPort: UInt16, idleTimeoutMilliseconds: Int, probe: Probe?
  ) {
    self.locator = locator
    self.key = key
    self.backendPort = backendPort
    self.idleTimeoutMilliseconds = idleTimeoutMilliseconds
    self.probe = probe
  }
}

/// One step of a node's configuration; setting what is set already changes nothing.
public enum Command: Codable, Hashable, Sendable {
  /// To MUXes: creates or replaces an endpoint.
  case setMuxEndpoint(MuxEndpoint)
  /// To MUXes: the endpoint is gone.
  case removeMuxEndpoint(EndpointKey)
  /// To MUXes: announce the VIP to the routers.
  case announce(IPv4Address)
  /// To MUXes: withdraw the VIP.
  case withdraw(IPv4Address)
  /// To hosts: the underlay addresses from which encapsulated packets are accepted; replaces the list.
  case setMuxes([IPv4Address])
  /// To hosts: the prefix that the router sends to this host; what of it belongs to no VM is dropped there.
  case setLocators(IPv4Prefix)
  /// To hosts: creates or replaces a VM, by its locator.
  case setMachine(HostMachine)
  /// To hosts: the VM with this locator is gone, and its endpoints with it.
  case removeMachine(IPv4Address)
  /// To hosts: creates or replaces an endpoint of a VM.
  case setHostEndpoint(HostEndpoint)
  /// To hosts: the VM with this locator no longer serves the endpoint.
  case removeHostEndpoint(locator: IPv4Address, key: EndpointKey)
  /// To MUXes: answers to these ports are the VM's at this locator; replaces who had the range before.
  case setPortRange(PortLease)
  /// To MUXes: nobody has the range.
  case removePortRange(PortRange)
  /// To hosts: the VM may use the range; again after a recall: it may go on using it.
  case leasePortRange(PortLease)
  /// To hosts: no new connection takes the range; it goes back when its last ends, within
  /// `Limits.recallMilliseconds`.
  case recallPortRange(PortLease)
  /// To hosts: the range is not the VM's any more, and its connections are dead.
  case endPortRange(PortLease)
  /// To both: the keys under which datagrams between nodes are sealed; replaces the ring.
  case setKeys(KeyRing)
}

/// What a manager sends to a node: the way from one revision to the next, or a whole state.
public struct Update: Codable, Hashable, Sendable {
  /// Whose order it is.
  public var epoch: Epoch
  /// The state the node has after it.
  public var revision: Revision
  /// True: the commands build the state from nothing, and what they do not name is gone.
  public var isSnapshot: Bool
  /// In the order in which they are to be carried out.
  public var commands: [Command]

  /// Describes an update.
  public init(epoch: Epoch, revision: Revision, isSnapshot: Bool, commands: [Command]) {
    self.epoch = epoch
    self.revision = revision
    self.isSnapshot = isSnapshot
    self.commands = commands
  }
}
