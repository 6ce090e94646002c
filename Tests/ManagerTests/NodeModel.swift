import Control
import Wire

/// A node as its commands make it: what an agent's data path would hold.
struct NodeModel: Equatable {
  /// An endpoint at a VM.
  struct Placement: Hashable {
    var locator: IPv4Address
    var key: EndpointKey
  }

  private(set) var muxEndpoints: [EndpointKey: MuxEndpoint] = [:]
  private(set) var announced: Set<IPv4Address> = []
  private(set) var muxes: [IPv4Address] = []
  private(set) var locators: IPv4Prefix?
  private(set) var machines: [IPv4Address: HostMachine] = [:]
  private(set) var keys = KeyRing()
  private(set) var endpoints: [Placement: HostEndpoint] = [:]
  private(set) var portRanges: [PortRange: IPv4Address] = [:]
  /// By locator; true: recalled.
  private(set) var leases: [IPv4Address: [PortRange: Bool]] = [:]
  /// Probed backends that have begun anew since this was emptied: the host must report their first result.
  var begun: Set<Placement> = []

  static func == (a: Self, b: Self) -> Bool {
    a.muxEndpoints == b.muxEndpoints && a.announced == b.announced && a.muxes == b.muxes
      && a.locators == b.locators && a.machines == b.machines && a.endpoints == b.endpoints
      && a.keys == b.keys && a.portRanges == b.portRanges && a.leases == b.leases
  }

  init(_ commands: [Command] = []) { for command in commands { carryOut(command) } }

  mutating func take(_ update: Update) {
    if update.isSnapshot {
      let old = self
      self = NodeModel(update.commands)
      // A host carries a snapshot out as the difference to what it has, so probes that stay go on.
      begun = old.begun.union(begun.filter { !Self.goesOn(old.endpoints[$0], endpoints[$0]) })
      begun = begun.filter { endpoints[$0]?.probe != nil }
    } else {
      for command in update.commands { carryOut(command) }
    }
  }

  private static func goesOn(_ old: HostEndpoint?, _ new: HostEndpoint?) -> Bool {
    guard let old = old?.probe, let new = new?.probe else { return false }
    return old.method == new.method && old.port == new.port
  }

  mutating func carryOut(_ command: Command) {
    switch command {
    case .setMuxEndpoint(let endpoint): muxEndpoints[endpoint.key] = endpoint
    case .removeMuxEndpoint(let key): muxEndpoints[key] = nil
    case .setKeys(let ring): keys = ring
    case .announce(let vip): announced.insert(vip)
    case .withdraw(let vip): announced.remove(vip)
    case .setMuxes(let addresses): muxes = addresses
    case .setLocators(let prefix): locators = prefix
    case .setMachine(let machine): machines[machine.locator] = machine
    case .removeMachine(let locator):
      machines[locator] = nil
      leases[locator] = nil
      for placement in endpoints.keys where placement.locator == locator { remove(placement) }
    case .setHostEndpoint(let endpoint):
      let placement = Placement(locator: endpoint.locator, key: endpoint.key)
      if !Self.goesOn(endpoints[placement], endpoint) { begun.insert(placement) }
      if endpoint.probe == nil { begun.remove(placement) }
      endpoints[placement] = endpoint
    case .removeHostEndpoint(let locator, let key): remove(Placement(locator: locator, key: key))
    case .setPortRange(let lease): portRanges[lease.range] = lease.locator
    case .removePortRange(let range): portRanges[range] = nil
    case .leasePortRange(let lease): leases[lease.locator, default: [:]][lease.range] = false
    case .recallPortRange(let lease):
      if leases[lease.locator]?[lease.range] != nil { leases[lease.locator]?[lease.range] = true }
    case .endPortRange(let lease):
      leases[lease.locator]?[lease.range] = nil
      if leases[lease.locator]?.isEmpty == true { leases[lease.locator] = nil }
    }
  }

  private mutating func remove(_ placement: Placement) {
    endpoints[placement] = nil
    begun.remove(placement)
  }

  /// The same but for leases, which come when all MUXes know them.
  var withoutLeases: NodeModel {
    var model = self
    model.leases = [:]
    return model
  }

  /// Probed backends, in order.
  var probed: [Placement] {
    endpoints.values.filter { $0.probe != nil }.map { Placement(locator: $0.locator, key: $0.key) }
      .sorted { ($0.locator, $0.key) < ($1.locator, $1.key) }
  }
}
