import Control
import Manager
import Wire

/// How a host uses the ports of its VMs: those it has given back it uses no more, whatever happens, until their lease
/// has ended.
struct AgentPorts: Sendable {
  /// Given back, and not ended yet; on disk before it is said.
  private(set) var returned: Set<PortLease> = []

  /// The node has carried an update out.
  mutating func follow(_ update: Update, _ node: NodeState) {
    guard !returned.isEmpty else { return }
    for case .endPortRange(let lease) in update.commands { returned.remove(lease) }
    returned = returned.filter { node.leases[$0.locator]?[$0.range] != nil }
  }

  /// What its VMs have done with, and what is to be said again.
  ///
  /// When all is to come to rest, only what was recalled goes back.
  mutating func giveBack(_ node: NodeState, _ chance: inout Chance, isQuiet: Bool) -> [PortLease] {
    var news: [PortLease] = []
    for (locator, ranges) in node.leases.sorted(by: { $0.key < $1.key }) {
      let held = ranges.filter { !returned.contains(PortLease($0.key, to: locator)) }
      var usable = held.values.count { !$0 }
      for (range, isRecalled) in held.sorted(by: { $0.key < $1.key }) {
        if isRecalled {
          guard chance.happens(perThousand: 500) else { continue }
        } else {
          guard !isQuiet, usable > 1, chance.happens(perThousand: 200) else { continue }
          usable -= 1
        }
        news.append(PortLease(range, to: locator))
      }
    }
    let again = chance.happens(perThousand: 300) ? returned.sorted() : []
    returned.formUnion(news)
    return news + again
  }

  /// What its VMs may use.
  func usable(_ node: NodeState, _ bug: Bug?) -> [PortLease] {
    node.leases.flatMap { locator, ranges in
      ranges.keys.map { PortLease($0, to: locator) }
        .filter { bug == .rangeReusedWhileHeld || !returned.contains($0) }
    }
  }
}

/// Hosts in the world that ask for ports and give them back.
extension World {
  mutating func usePorts(agent index: Int, on stream: Int) {
    let node = agents[index].node
    guard !node.machines.isEmpty else { return }
    if !isQuiet, chance.happens(perThousand: 500),
      let locator = chance.pick(node.machines.keys.sorted())
    {
      // Now and then it asks for a VM that is not its own.
      let own = chance.happens(perThousand: 980)
      let asked = own ? locator : IPv4Address(10, 64, UInt8(chance.number(0...3)), 1)
      say(.report(.portRequest(PortRequest(locator: asked))), on: stream)
    }
    guard !node.leases.isEmpty else { return }
    let leases = agents[index].giveBack(&chance, isQuiet: isQuiet)
    guard !leases.isEmpty else { return }
    counts[.portsReturned] += leases.count
    checkPorts(of: index)
    say(.report(.portsReturned(leases)), on: stream)
  }

  /// What a host may use has changed.
  mutating func checkPorts(of agent: Int) {
    let usable = agents[agent].usablePorts(bug)
    _ = check { world throws(Finding) in try world.ports.uses(usable, agent) }
  }

  /// A primary leases ports: all MUXes that have acknowledged something to it know them, but for those that owe it an
  /// acknowledgement for long.
  mutating func checkOrder(_ update: Update, by manager: Int) {
    guard let process = machines[manager].process, let epoch = process.epoch else { return }
    let leases = update.leases
    guard !leases.isEmpty else { return }
    counts[.rangesLeased] += leases.count
    let known = process.streams.acknowledged(at: time)
    let muxes = self.muxes(of: process, epoch, among: known.prompt)
    let late = self.muxes(of: process, epoch, among: known.late)
    for lease in leases {
      if late.contains(where: { agents[$0].node.portRanges[lease.range] != lease.locator }) {
        counts[.rangesLeasedPastLateMuxes] += 1
      }
      for mux in muxes where agents[mux].node.portRanges[lease.range] != lease.locator {
        return fail(
          .ports, "\(lease.range) is leased to \(lease.locator) before \(agents[mux].name) knows it")
      }
    }
  }

  private func muxes(of process: ManagerProcess, _ epoch: Epoch, among names: Set<String>) -> [Int] {
    agents.indices.filter { index in
      let agent = agents[index]
      return names.contains(agent.name) && agent.node.epoch == epoch
        && process.manager.state.desired.nodes[agent.name]?.roles.contains(.mux) == true
    }
  }
}

extension Update {
  /// What a host may use by it: a lease that waited may have ended meanwhile, and then both are in one update.
  fileprivate var leases: [PortLease] {
    var leases: [PortLease] = []
    for command in commands {
      switch command {
      case .leasePortRange(let lease): leases.append(lease)
      case .endPortRange(let lease): leases.removeAll { $0 == lease }
      case .removeMachine(let locator): leases.removeAll { $0.locator == locator }
      default: break
      }
    }
    return leases
  }
}
