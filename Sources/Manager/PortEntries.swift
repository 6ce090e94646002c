import Control
import Wire

/// What entries do to leases (Ananta §3.5.1).
extension ManagerState {
  // MARK: Requests

  /// Why a VM gets no ports; nil if it does.
  func refusal(of locator: IPv4Address) -> PortRefusal? {
    guard let machine = machinesByLocator[locator], let service = service(of: machine) else {
      return PortRefusal(
        locator: locator, reason: .noService, retryAfterMilliseconds: Limits.noServiceRetryMilliseconds)
    }
    guard room(of: machine, in: service) > 0 else {
      return PortRefusal(locator: locator, reason: .cap, retryAfterMilliseconds: Limits.capRetryMilliseconds)
    }
    guard ports.hasRoom, service.sources.contains(where: { ports.pools[$0]?.hasFree ?? false }) else {
      return PortRefusal(
        locator: locator, reason: .exhausted, retryAfterMilliseconds: Limits.exhaustedRetryMilliseconds)
    }
    return nil
  }

  /// By which service a VM leaves.
  func service(of machine: String) -> Service? { servicesBySource[machine].flatMap { desired.services[$0] } }

  /// Ranges that a VM may have besides those it has; what was recalled does not count.
  private func room(of machine: String, in service: Service) -> Int {
    service.snatPortsPerMachine / PortRange.portCount - (ports.holdings[machine]?.usableCount ?? 0)
  }

  /// First come, first served; who asks again soon gets twice as much as the last time.
  mutating func apply(_ requests: [PortRequest], at time: UInt64) -> Effects {
    var effects = PortEffects()
    var refusals: [PortRefusal] = []
    for request in requests {
      if let refusal = refusal(of: request.locator) {
        refusals.append(refusal)
        continue
      }
      guard let machine = machinesByLocator[request.locator], let service = service(of: machine),
        let node = desired.machines[machine]?.host
      else { continue }
      let last = ports.holdings[machine]
      let wanted = last?.nextCount(at: time) ?? 1
      let ranges = ports.lease(
        min(wanted, room(of: machine, in: service)), of: service.sources, to: machine, at: request.locator,
        revision)
      ports.answered(machine, ranges.count, at: time)
      for range in ranges { effects.lease(PortLease(range, to: request.locator), on: node) }
    }
    return whole(effects, refusals)
  }

  // MARK: Returns

  /// Ranges that hosts have stopped using; those that are another grant by now are left alone.
  mutating func apply(_ returns: [PortReturn]) -> Effects {
    var effects = PortEffects()
    var vips: Set<IPv4Address> = []
    for item in returns {
      let range = item.lease.range
      guard let grant = ports.grant(range), grant.locator == item.lease.locator,
        grant.revision == item.granted, let machine = machinesByLocator[grant.locator],
        let node = desired.machines[machine]?.host
      else { continue }
      ports.free(range, of: machine)
      effects.end(item.lease, on: node)
      vips.insert(range.vip)
    }
    tidy(vips, &effects)
    return whole(effects)
  }

  /// A host has let go of what it had to by that revision.
  mutating func release(_ node: String, upTo revision: Revision) -> Effects {
    tidyPools(ports.release(node, upTo: revision))
    return Effects()
  }

  /// Some ports of these VIPs have come back: one that nobody leaves by is withdrawn with the last.
  private mutating func tidy(_ vips: Set<IPv4Address>, _ effects: inout PortEffects) {
    for vip in vips.sorted() where !isAnnounced(vip) { effects.withdraw(vip) }
    tidyPools(vips)
  }

  private mutating func tidyPools(_ vips: Set<IPv4Address>) {
    for vip in vips where !isLeftBy(vip) { ports.close(vip) }
  }

  // MARK: Recalls

  /// Which leases a recall is about, by VM and range.
  func leases(of recall: PortRecall) -> [(machine: String, range: PortRange)] {
    switch recall {
    case .machine(let name):
      return (ports.holdings[name]?.ranges.sorted() ?? []).map { (name, $0) }
    case .range(let range):
      return ports.grant(range).flatMap { machinesByLocator[$0.locator] }.map { [($0, range)] } ?? []
    case .vip(let vip):
      let grants = ports.pools[vip]?.grants.sorted { $0.key < $1.key } ?? []
      return grants.compactMap { number, grant in
        machinesByLocator[grant.locator].map { ($0, PortRange(vip, number: number)) }
      }
    }
  }

  /// Whether a recall would call anything back that has not been called back before.
  func hasLeases(of recall: PortRecall) -> Bool {
    leases(of: recall).contains { ports.grant($0.range)?.isRecalled == false }
  }

  /// An operator wants ranges back.
  mutating func apply(_ recall: PortRecall) -> Effects {
    var effects = PortEffects()
    for (machine, range) in leases(of: recall) { self.recall(range, of: machine, &effects) }
    return whole(effects)
  }

  private mutating func recall(_ range: PortRange, of machine: String, _ effects: inout PortEffects) {
    guard let node = desired.machines[machine]?.host, let locator = locators[machine],
      ports.recall(range, of: machine)
    else { return }
    effects.recall(PortLease(range, to: locator), on: node)
  }

  // MARK: Operations

  /// Lets leases follow an operation that has been carried out but for them.
  mutating func movePorts(_ touched: Touched, from old: ManagerState) -> PortEffects {
    var effects = PortEffects()
    for name in touched.machines.sorted() {
      guard let host = old.desired.machines[name]?.host,
        locators[name] != old.locators[name] || desired.machines[name]?.host != host
      else { continue }
      for range in ports.abandon(name, on: host, at: revision) { effects.remove(range) }
    }
    openPools(touched, old.desired)
    let names = touched.services.sorted()
    for name in names { recallForbidden(by: name, old.desired, &effects) }
    for name in names { preallocate(for: name, &effects) }
    return effects
  }

  private mutating func openPools(_ touched: Touched, _ old: DesiredState) {
    for vip in vips(of: touched, old).union(heldVIPs(of: touched.machines)) {
      if isLeftBy(vip) { openPool(of: vip) } else { ports.close(vip) }
    }
  }

  /// A VIP by which VMs leave has a pool, without the ports of its endpoints.
  mutating func openPool(of vip: IPv4Address) {
    guard let service = servicesByVIP[vip].flatMap({ desired.services[$0] }) else { return }
    ports.open(vip, without: service.vip == vip ? service.endpoints.map(\.port) : [])
  }

  /// Whether VMs leave by the VIP.
  func isLeftBy(_ vip: IPv4Address) -> Bool {
    servicesByVIP[vip].flatMap { desired.services[$0] }.map { !$0.snat.isEmpty } ?? false
  }

  /// Whether MUXes announce the VIP: as long as VMs leave by it, or did and are not done, or a backend can serve.
  func isAnnounced(_ vip: IPv4Address) -> Bool {
    guard !isLeftBy(vip), !ports.hasGrants(of: vip) else { return true }
    guard let name = servicesByVIP[vip] else { return false }
    return NodeView(of: self, services: [name], machines: [], vips: []).announces(vip)
  }

  /// The VIPs of which VMs have ports.
  func heldVIPs(of machines: Set<String>) -> Set<IPv4Address> {
    var vips: Set<IPv4Address> = []
    for machine in machines { for range in ports.holdings[machine]?.ranges ?? [] { vips.insert(range.vip) } }
    return vips
  }

  /// All VIPs of services that an operation touches.
  func vips(of touched: Touched, _ old: DesiredState) -> Set<IPv4Address> {
    var vips: Set<IPv4Address> = []
    for name in touched.services {
      for service in [old.services[name], desired.services[name]] {
        if let service { vips.formUnion(service.vips) }
      }
    }
    return vips
  }

  /// What the VMs of a service have, and may not have any more.
  private mutating func recallForbidden(by name: String, _ old: DesiredState, _ effects: inout PortEffects) {
    let (before, after) = (old.services[name], desired.services[name])
    guard before?.portRules != after?.portRules else { return }
    for machine in Set((before?.snat ?? []) + (after?.snat ?? [])).sorted() {
      guard let holding = ports.holdings[machine] else { continue }
      let allowed = Set(service(of: machine)?.sources ?? [])
      let forbidden = holding.ranges.filter { range in
        !allowed.contains(range.vip) || ports.pools[range.vip]?.excludes(range.number) ?? true
      }
      for range in forbidden.sorted() { recall(range, of: machine, &effects) }
    }
  }

  /// A VM that may leave by a VIP has a range to begin with, as long as there are any.
  private mutating func preallocate(for name: String, _ effects: inout PortEffects) {
    guard let service = desired.services[name] else { return }
    for machine in service.snat where (ports.holdings[machine]?.usableCount ?? 0) == 0 {
      guard let node = desired.machines[machine]?.host, let locator = locators[machine] else { continue }
      for range in ports.lease(1, of: service.sources, to: machine, at: locator, revision) {
        effects.lease(PortLease(range, to: locator), on: node)
      }
    }
  }

  // MARK: Commands

  /// An entry that does nothing but this.
  private func whole(_ effects: PortEffects, _ refusals: [PortRefusal] = []) -> Effects {
    var commands: [NodeCommands] = []
    if !effects.mux.isEmpty || !effects.hosts.isEmpty {
      for node in desired.nodes.values {
        let own =
          (node.roles.contains(.mux) ? effects.mux : []) + (effects.hosts[node.name] ?? [])
        if !own.isEmpty { commands.append(NodeCommands(node: node.name, commands: own)) }
      }
      commands.sort { $0.node < $1.node }
    }
    return Effects(
      commands: commands, leases: effects.leases, refusals: refusals, recalledCount: effects.recalledCount)
  }

  /// All that a MUX must know of leases.
  var muxPorts: [Command] {
    ports.pools.keys.sorted().flatMap { vip in
      (ports.pools[vip]?.grants ?? [:]).sorted { $0.key < $1.key }.map { number, grant in
        Command.setPortRange(PortLease(PortRange(vip, number: number), to: grant.locator))
      }
    }
  }

  /// All that a host must know of the leases of its VMs, as far as MUXes know them.
  func hostPorts(of machines: [String], upTo ripe: Revision) -> [Command] {
    machines.sorted().flatMap { machine -> [Command] in
      (ports.holdings[machine]?.ranges.sorted() ?? []).flatMap { range -> [Command] in
        guard let grant = ports.grant(range), grant.revision <= ripe else { return [] }
        return grant.commands(of: range)
      }
    }
  }
}

extension PortGrant {
  /// What brings a host to it from nothing.
  func commands(of range: PortRange) -> [Command] {
    let lease = PortLease(range, to: locator)
    return isRecalled ? [.leasePortRange(lease), .recallPortRange(lease)] : [.leasePortRange(lease)]
  }
}

extension Service {
  /// All its public addresses.
  var vips: [IPv4Address] { [vip] + snatVIPs }
  /// The addresses by which its VMs leave, in the order in which their ports are used.
  var sources: [IPv4Address] { snat.isEmpty ? [] : vips }

  /// What decides which ports its VMs may have.
  fileprivate var portRules: PortRules {
    PortRules(sources: sources, machines: snat, ports: endpoints.map(\.port))
  }
}

/// What decides which ports the VMs of a service may have.
private struct PortRules: Equatable {
  var sources: [IPv4Address]
  var machines: [String]
  var ports: [UInt16]
}

extension PortRecall {
  /// About whom it is, for whoever reads who did what.
  var whose: String {
    switch self {
    case .machine(let name): "those of VirtualMachine/\(name)"
    case .range(let range): "\(range)"
    case .vip(let vip): "those of \(vip)"
    }
  }
}
