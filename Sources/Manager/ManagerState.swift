public import Control
public import Wire

/// All that the log's entries have made so far; the same entries make the same state on every replica.
public struct ManagerState: Hashable, Sendable {
  /// Of the last entry that was applied.
  public private(set) var revision = Revision(0)
  /// Of the last primary that began.
  public private(set) var epoch = Epoch.none
  /// What operators have asked for.
  public private(set) var desired = DesiredState()
  /// The locator of each VM.
  public private(set) var locators: [String: IPv4Address] = [:]
  /// What hosts have reported of backends with a probe; a backend that is missing is unknown.
  public private(set) var health: [BackendKey: BackendHealth] = [:]
  /// The keys of datagrams between nodes.
  public private(set) var keys = KeyRing()
  /// When they last went on, milliseconds since 1970.
  public private(set) var keysRotatedAt: UInt64 = 0
  /// Who changed what; the newest last.
  public private(set) var auditRecords: [AuditRecord] = []
  /// Which VM has a locator.
  private(set) var machinesByLocator: [IPv4Address: String] = [:]
  /// Which service has a VIP, be it its first or a further one.
  private(set) var servicesByVIP: [IPv4Address: String] = [:]
  /// By which service a VM leaves.
  private(set) var servicesBySource: [String: String] = [:]
  /// Who has which ports.
  var ports = PortAllocation()
  /// Leases up to this revision are known to all MUXes, or were when that was said; there may be more.
  private(set) var ripe = Revision(0)

  /// The empty data centre.
  public init() {}

  /// Puts a state together from its parts.
  init(
    revision: Revision, epoch: Epoch, desired: DesiredState, locators: [String: IPv4Address],
    health: [BackendKey: BackendHealth], keys: KeyRing, keysRotatedAt: UInt64, auditRecords: [AuditRecord],
    ports: PortAllocation, ripe: Revision
  ) {
    self.revision = revision
    self.epoch = epoch
    self.desired = desired
    self.locators = locators
    self.health = health
    self.keys = keys
    self.keysRotatedAt = keysRotatedAt
    self.auditRecords = auditRecords
    for (machine, locator) in locators { machinesByLocator[locator] = machine }
    self.ports = ports
    self.ripe = ripe
    for service in desired.services.values { index(service) }
    for vip in servicesByVIP.keys where isLeftBy(vip) { openPool(of: vip) }
  }

  /// Carries one entry out and says what each node that keeps its roles has to do to follow, sorted by node.
  public mutating func apply(_ entry: Entry, at revision: Revision) -> [NodeCommands] {
    carryOut(entry, at: revision).commands
  }

  /// The same, with what else follows from the entry.
  mutating func carryOut(_ entry: Entry, at revision: Revision) -> Effects {
    precondition(revision.number == self.revision.number + 1, "entries are applied in order, without gaps")
    self.revision = revision
    switch entry {
    case .operation(let operation, let author):
      let before = desired
      let effects = apply(operation)
      record(operation, from: before, by: author)
      return effects
    case .health(let changes, let node): return Effects(commands: apply(changes, from: node))
    case .epochBegan(let epoch): self.epoch = epoch
    case .keysRotated(let low, let high, let at):
      keys.rotate(low: low, high: high)
      keysRotatedAt = at
      let names = desired.nodes.values.filter(\.runsDataPath).map(\.name).sorted()
      return Effects(commands: names.map { NodeCommands(node: $0, commands: [.setKeys(keys)]) })
    case .note(let text, let author):
      keep(AuditRecord(revision: revision, author: author, note: text))
    case .portsRequested(let requests, let time): return apply(requests, at: time)
    case .portsReturned(let returns): return apply(returns)
    case .portsReleased(let node, let revision): return release(node, upTo: revision)
    case .portsRipe(let revision): ripe = max(ripe, revision)
    case .portsRecalled(let recall, let author):
      let effects = apply(recall)
      let ranges = effects.recalledCount == 1 ? "1 range" : "\(effects.recalledCount) ranges"
      keep(
        AuditRecord(revision: revision, author: author, note: "recalled \(ranges) of ports, \(recall.whose)"))
      return effects
    }
    return Effects()
  }

  /// What a node has to do to come from nothing to this state; empty when there is no such node.
  ///
  /// As if all MUXes knew all leases.
  public func snapshot(for node: String) -> [Command] {
    var view = SnapshotView()
    return view.snapshot(for: node, of: self, ripe: Revision(.max))
  }

  /// Everything there is, for all nodes.
  var whole: NodeView {
    NodeView(
      of: self, services: Set(desired.services.keys), machines: Set(desired.machines.keys),
      vips: Set(ports.pools.keys))
  }

  // MARK: Audit

  private mutating func record(_ operation: Operation, from old: DesiredState, by author: Author) {
    let keys: [ResourceKey] =
      switch operation {
      case .apply(let resources): resources.map(\.key)
      case .delete(let keys): keys
      }
    let items = keys.filter { old[$0] != desired[$0] }.map { key in
      let action: Change.Action =
        old[key] == nil ? .created : desired[key] == nil ? .deleted : .configured
      return AuditRecord.Item(key: key, action: action)
    }
    let named = Array(items.prefix(Control.Limits.itemsPerAuditRecord))
    keep(AuditRecord(revision: revision, author: author, items: named, count: items.count))
  }

  private mutating func keep(_ record: AuditRecord) {
    auditRecords.append(record)
    let surplus = auditRecords.count - Control.Limits.auditRecords
    if surplus > 0 { auditRecords.removeFirst(surplus) }
  }

  // MARK: Operations

  private mutating func apply(_ operation: Operation) -> Effects {
    let old = self
    desired.carryOut(operation)
    let touched = Touched(by: operation, from: old.desired, to: desired)
    assignLocators(touched)
    index(touched, old: old.desired)
    forgetHealth(touched, old: old)
    let effects = movePorts(touched, from: old)
    let vips = vips(of: touched, old.desired).union(old.heldVIPs(of: touched.machines))
    let before = NodeView(of: old, services: touched.services, machines: touched.machines, vips: vips)
    let after = NodeView(of: self, services: touched.services, machines: touched.machines, vips: vips)
    return Effects(
      commands: commands(from: old, before: before, after: after, ports: effects), leases: effects.leases,
      recalledCount: effects.recalledCount)
  }

  /// Gives each VM the lowest free locator of its host, unless it has one there already.
  private mutating func assignLocators(_ touched: Touched) {
    var homeless: [VirtualMachine] = []
    for name in touched.machines.sorted() {
      let held = locators[name]
      let machine = desired.machines[name]
      let range = machine.flatMap { desired.nodes[$0.host]?.locators }.map(LocatorRange.init)
      if let machine {
        if let held, let range, range.contains(held) { continue }
        homeless.append(machine)
      }
      if let held {
        locators[name] = nil
        machinesByLocator[held] = nil
      }
    }
    guard !homeless.isEmpty else { return }
    // One set of taken addresses serves all hosts, since their prefixes do not overlap.
    var taken = Set(machinesByLocator.keys)
    for machine in homeless {
      guard let prefix = desired.nodes[machine.host]?.locators,
        let locator = LocatorRange(prefix).lowest(notIn: taken)
      else { continue }
      taken.insert(locator)
      locators[machine.name] = locator
      machinesByLocator[locator] = machine.name
    }
  }

  private mutating func index(_ touched: Touched, old: DesiredState) {
    for name in touched.services {
      guard let service = old.services[name] else { continue }
      for vip in service.vips { servicesByVIP[vip] = nil }
      for machine in service.snat { servicesBySource[machine] = nil }
    }
    for name in touched.services { if let service = desired.services[name] { index(service) } }
  }

  private mutating func index(_ service: Service) {
    for vip in service.vips { servicesByVIP[vip] = service.name }
    for machine in service.snat { servicesBySource[machine] = service.name }
  }

  /// Forgets what is known of backends that are gone, have moved, or are probed in another way than before.
  private mutating func forgetHealth(_ touched: Touched, old: ManagerState) {
    for name in touched.services {
      guard let service = old.desired.services[name] else { continue }
      for endpoint in service.endpoints {
        let key = EndpointKey(vip: service.vip, transport: endpoint.transport, port: endpoint.port)
        let successor = self.endpoint(key)
        let isProbedAlike = endpoint.probe.map { $0.isSameQuestion(as: successor?.probe) } ?? false
        for backend in endpoint.backends {
          let remains = successor?.backends.contains { $0.machine == backend.machine } ?? false
          let hasMoved = locators[backend.machine] != old.locators[backend.machine]
          if !isProbedAlike || !remains || hasMoved {
            health[BackendKey(machine: backend.machine, endpoint: key)] = nil
          }
        }
      }
    }
  }

  // MARK: Health

  private mutating func apply(_ changes: [HealthChange], from node: String) -> [NodeCommands] {
    let relevant = relevant(changes, from: node)
    let vips = Set(relevant.map(\.key.vip))
    let services = Set(vips.compactMap { servicesByVIP[$0] })
    let before = NodeView(of: self, services: services, machines: [], vips: vips)
    for change in relevant {
      guard let machine = machinesByLocator[change.locator] else { continue }
      health[BackendKey(machine: machine, endpoint: change.key)] = BackendHealth(
        isHealthy: change.isHealthy, reason: change.reason)
    }
    let after = NodeView(of: self, services: services, machines: [], vips: vips)
    let delta = before.muxCommands(to: after)
    guard !delta.isEmpty else { return [] }
    return desired.nodes.values.filter { $0.roles.contains(.mux) }.map(\.name).sorted()
      .map { NodeCommands(node: $0, commands: delta) }
  }

  /// Those of a node's reports that say something new of a probed backend which this node hosts.
  public func relevant(_ changes: [HealthChange], from node: String) -> [HealthChange] {
    changes.filter { change in
      guard let machine = machinesByLocator[change.locator], desired.machines[machine]?.host == node,
        let endpoint = endpoint(change.key), endpoint.probe != nil,
        endpoint.backends.contains(where: { $0.machine == machine })
      else { return false }
      let known = health[BackendKey(machine: machine, endpoint: change.key)]
      return known != BackendHealth(isHealthy: change.isHealthy, reason: change.reason)
    }
  }

  /// What is known of a backend.
  public func health(of backend: Backend, in endpoint: Endpoint, key: EndpointKey) -> Health {
    guard endpoint.probe != nil else { return .unprobed }
    guard let known = health[BackendKey(machine: backend.machine, endpoint: key)] else { return .unknown }
    return known.isHealthy ? .healthy : .unhealthy
  }

  private func endpoint(_ key: EndpointKey) -> Endpoint? {
    servicesByVIP[key.vip].flatMap { desired.services[$0] }.flatMap { $0.vip == key.vip ? $0 : nil }?
      .endpoints.first { $0.transport == key.transport && $0.port == key.port }
  }

  // MARK: Commands

  /// Nodes that are new or have other roles than before are left out: they begin with a snapshot, since an
  /// agent's roles are those it was started with.
  private func commands(from old: ManagerState, before: NodeView, after: NodeView, ports: PortEffects)
    -> [NodeCommands]
  {
    let muxDelta = ports.mux + before.muxCommands(to: after)
    let nodes = desired.nodes.values.sorted { $0.name < $1.name }
    return nodes.compactMap { node in
      guard let former = old.desired.nodes[node.name], former.roles == node.roles else { return nil }
      var commands = node.roles.contains(.mux) ? muxDelta : []
      if node.roles.contains(.host) { commands += before.hostCommands(to: after, for: node, was: former) }
      commands += ports.hosts[node.name] ?? []
      return commands.isEmpty ? nil : NodeCommands(node: node.name, commands: commands)
    }
  }
}
