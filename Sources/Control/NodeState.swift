public import Wire

/// What a node has been told to be: the sum of all commands, and the proof of whose they were.
///
/// The same value serves the agent (what to do), the manager's tests (do deltas add up to the snapshot?) and the
/// simulator. Dictionaries are for look-up; whoever goes through them sorts.
public struct NodeState: Codable, Hashable, Sendable {
  /// What became of an update.
  public enum Result: Hashable, Sendable {
    /// Carried out; the state is that of the update's revision.
    case applied
    /// From an epoch below the highest seen; nothing has changed (`system.md` §6, fencing).
    case refused(highest: Epoch)
    /// Older than the present revision; nothing has changed, a snapshot is needed.
    case outOfOrder(present: Revision)
  }

  /// The highest epoch whose update was carried out.
  public private(set) var epoch = Epoch.none
  /// The revision of the last update.
  public private(set) var revision = Revision(0)
  /// A MUX's endpoints.
  public private(set) var muxEndpoints: [EndpointKey: MuxEndpoint] = [:]
  /// VIPs that are announced to the routers.
  public private(set) var announced: Set<IPv4Address> = []
  /// From whom a host accepts encapsulated packets.
  public private(set) var muxes: [IPv4Address] = []
  /// The prefix that the router sends to this host; nil on nodes that host nothing.
  public private(set) var locators: IPv4Prefix?
  /// A host's VMs by locator.
  public private(set) var machines: [IPv4Address: HostMachine] = [:]
  /// Per locator, what the VM serves.
  public private(set) var hostEndpoints: [IPv4Address: [EndpointKey: HostEndpoint]] = [:]
  /// A MUX's ranges of leased ports: whose each is.
  public private(set) var portRanges: [PortRange: IPv4Address] = [:]
  /// A host's leases, by locator; true: recalled.
  public private(set) var leases: [IPv4Address: [PortRange: Bool]] = [:]

  /// The keys of datagrams between nodes.
  public private(set) var keys = KeyRing()

  /// The state of a node that has been told nothing.
  public init() {}

  /// Reads a state as it was written down; one that is older than leased ports has none.
  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    epoch = try values.decode(Epoch.self, forKey: .epoch)
    revision = try values.decode(Revision.self, forKey: .revision)
    muxEndpoints = try values.decode([EndpointKey: MuxEndpoint].self, forKey: .muxEndpoints)
    announced = try values.decode(Set<IPv4Address>.self, forKey: .announced)
    muxes = try values.decode([IPv4Address].self, forKey: .muxes)
    locators = try values.decodeIfPresent(IPv4Prefix.self, forKey: .locators)
    machines = try values.decode([IPv4Address: HostMachine].self, forKey: .machines)
    hostEndpoints = try values.decode(
      [IPv4Address: [EndpointKey: HostEndpoint]].self, forKey: .hostEndpoints)
    portRanges = try values.decodeIfPresent([PortRange: IPv4Address].self, forKey: .portRanges) ?? [:]
    leases = try values.decodeIfPresent([IPv4Address: [PortRange: Bool]].self, forKey: .leases) ?? [:]
    keys = try values.decode(KeyRing.self, forKey: .keys)
  }

  /// Carries an update out, whole or not at all.
  public mutating func apply(_ update: Update) -> Result {
    guard update.epoch >= epoch else { return .refused(highest: epoch) }
    guard update.isSnapshot || update.revision >= revision else { return .outOfOrder(present: revision) }
    if update.isSnapshot { self = NodeState() }
    for command in update.commands { carryOut(command) }
    epoch = update.epoch
    revision = update.revision
    return .applied
  }

  private mutating func carryOut(_ command: Command) {
    switch command {
    case .setKeys(let ring): keys = ring
    case .setMuxEndpoint(let endpoint): muxEndpoints[endpoint.key] = endpoint
    case .removeMuxEndpoint(let key): muxEndpoints[key] = nil
    case .announce(let vip): announced.insert(vip)
    case .withdraw(let vip): announced.remove(vip)
    case .setMuxes(let addresses): muxes = addresses
    case .setLocators(let prefix): locators = prefix
    case .setMachine(let machine): machines[machine.locator] = machine
    case .removeMachine(let locator):
      machines[locator] = nil
      hostEndpoints[locator] = nil
      leases[locator] = nil
    case .setHostEndpoint(let endpoint):
      hostEndpoints[endpoint.locator, default: [:]][endpoint.key] = endpoint
    case .removeHostEndpoint(let locator, let key):
      hostEndpoints[locator]?[key] = nil
      if hostEndpoints[locator]?.isEmpty == true { hostEndpoints[locator] = nil }
    case .setPortRange(let lease): portRanges[lease.range] = lease.locator
    case .removePortRange(let range): portRanges[range] = nil
    case .leasePortRange(let lease): leases[lease.locator, default: [:]][lease.range] = false
    case .recallPortRange(let lease):
      // One that was given back meanwhile does not come into being again.
      if leases[lease.locator]?[lease.range] != nil { leases[lease.locator]?[lease.range] = true }
    case .endPortRange(let lease):
      leases[lease.locator]?[lease.range] = nil
      if leases[lease.locator]?.isEmpty == true { leases[lease.locator] = nil }
    }
  }
}
