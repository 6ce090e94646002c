import Control
import Wire

/// Some services and VMs as the nodes are to be told of them; the way from one view to another is the nodes'
/// commands.
struct NodeView {
  /// All MUXes have the same endpoints, whatever they are.
  private var muxEndpoints: [EndpointKey: MuxEndpoint] = [:]
  /// VIPs with at least one backend that can serve, or by which VMs leave.
  private var announced: Set<IPv4Address> = []
  /// By node, by locator.
  private var machines: [String: [IPv4Address: HostMachine]] = [:]
  /// By node.
  private var hostEndpoints: [String: [Placement: HostEndpoint]] = [:]
  /// The addresses of all MUXes, sorted.
  private(set) var muxes: [IPv4Address] = []

  /// An endpoint at a VM.
  private struct Placement: Hashable, Comparable {
    var locator: IPv4Address
    var key: EndpointKey
    static func < (a: Self, b: Self) -> Bool { (a.locator, a.key) < (b.locator, b.key) }
  }

  /// Nothing at all.
  init() {}

  /// Views some services and VMs of a state.
  ///
  /// `vips` are those that may be announced for another reason than these services.
  init(
    of state: ManagerState, services: Set<String>, machines names: Set<String>, vips: Set<IPv4Address>
  ) {
    muxes = state.desired.nodes.values.filter { $0.roles.contains(.mux) }.map(\.address).sorted()
    for name in names {
      guard let machine = state.desired.machines[name], let locator = state.locators[name] else { continue }
      machines[machine.host, default: [:]][locator] = HostMachine(
        name: name, network: machine.network, dip: machine.dip, locator: locator,
        attachment: machine.attachment)
    }
    for name in services {
      guard let service = state.desired.services[name] else { continue }
      for endpoint in service.endpoints { add(endpoint, of: service, in: state) }
      announced.formUnion(service.sources)
    }
    for vip in vips where state.isAnnounced(vip) { announced.insert(vip) }
  }

  /// Whether MUXes announce a VIP.
  func announces(_ vip: IPv4Address) -> Bool { announced.contains(vip) }

  /// The VMs of a node.
  func machineNames(on node: String) -> [String] { (machines[node] ?? [:]).values.map(\.name) }

  private mutating func add(_ endpoint: Endpoint, of service: Service, in state: ManagerState) {
    let key = EndpointKey(vip: service.vip, transport: endpoint.transport, port: endpoint.port)
    let idle = endpoint.idleTimeoutMilliseconds
    var usable: [MuxBackend] = []
    for backend in endpoint.backends {
      guard let host = state.desired.machines[backend.machine]?.host,
        let locator = state.locators[backend.machine]
      else { continue }
      hostEndpoints[host, default: [:]][Placement(locator: locator, key: key)] = HostEndpoint(
        locator: locator, key: key, backendPort: endpoint.backendPort, idleTimeoutMilliseconds: idle,
        probe: endpoint.probe)
      switch state.health(of: backend, in: endpoint, key: key) {
      case .healthy, .unprobed:
        usable.append(MuxBackend(locator: locator, weight: backend.weight))
      case .unhealthy, .unknown: break
      }
    }
    usable.sort { $0.locator < $1.locator }
    muxEndpoints[key] = MuxEndpoint(
      key: key, backends: usable, affinity: endpoint.affinity, idleTimeoutMilliseconds: idle)
    if usable.contains(where: { $0.weight > 0 }) { announced.insert(service.vip) }
  }

  /// What a MUX has to do to come from this view to another: a VIP is withdrawn before its endpoints go, and
  /// announced after they are there.
  func muxCommands(to after: NodeView) -> [Command] {
    let gone = muxEndpoints.keys.filter { after.muxEndpoints[$0] == nil }.sorted()
    let new = after.muxEndpoints.filter { muxEndpoints[$0.key] != $0.value }.map(\.value)
    var commands = announced.subtracting(after.announced).sorted().map(Command.withdraw)
    commands += gone.map(Command.removeMuxEndpoint)
    commands += new.sorted { $0.key < $1.key }.map(Command.setMuxEndpoint)
    commands += after.announced.subtracting(announced).sorted().map(Command.announce)
    return commands
  }

  /// What a host has to do to come from this view to another.
  ///
  /// A locator that goes to another VM is removed first, so that nothing of the old VM's flows and health is
  /// left.
  func hostCommands(to after: NodeView, for present: Node, was former: Node?) -> [Command] {
    let node = present.name
    let oldMuxes = former == nil ? [] : muxes
    let old = (machines: machines[node] ?? [:], endpoints: hostEndpoints[node] ?? [:])
    let new = (machines: after.machines[node] ?? [:], endpoints: after.hostEndpoints[node] ?? [:])
    let vacated = Set(old.machines.filter { new.machines[$0.key]?.name != $0.value.name }.keys)
    let ended = old.endpoints.keys.filter { new.endpoints[$0] == nil && !vacated.contains($0.locator) }
    let set = new.machines.filter { old.machines[$0.key] != $0.value }.map(\.value)
    let begun = new.endpoints.filter { vacated.contains($0.key.locator) || old.endpoints[$0.key] != $0.value }
    var commands = ended.sorted().map { Command.removeHostEndpoint(locator: $0.locator, key: $0.key) }
    commands += vacated.sorted().map(Command.removeMachine)
    if oldMuxes != after.muxes { commands.append(.setMuxes(after.muxes)) }
    if let prefix = present.locators, prefix != former?.locators { commands.append(.setLocators(prefix)) }
    commands += set.sorted { $0.locator < $1.locator }.map(Command.setMachine)
    commands += begun.sorted { $0.key < $1.key }.map { Command.setHostEndpoint($0.value) }
    return commands
  }
}

extension Probe {
  /// Whether what one finds out holds for the other: pace and threshold do not matter.
  func isSameQuestion(as other: Probe?) -> Bool { method == other?.method && port == other?.port }
}
