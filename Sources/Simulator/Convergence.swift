import Control
import Manager
import Paxos

/// The end of a life: nothing goes wrong any more, and all must come to the same end.
extension World {
  /// Everything is put right.
  mutating func calm() {
    note("calm")
    isCalm = true
    cutsMade += 1
    weatherChanges += 1
    network.heal()
    network.calm()
    lateUntil = 0
    for index in machines.indices {
      machines[index].disk.fullUntil = 0
      resume(index)
      thaw(index)
      start(index)
    }
    for index in agents.indices {
      agents[index].deafUntil = 0
      startAgent(index)
    }
    agenda.add(.review, at: time + .seconds(3))
  }

  /// A disk that stands still works again.
  private mutating func thaw(_ index: Int) {
    let life = machines[index].life
    if let last = machines[index].disk.thaw(at: time) {
      agenda.add(.synced(index, life: life, last), at: time + plan.writing.upperBound)
    }
  }

  /// Clients ask nothing more: long enough after the last fault, and not before one was served.
  var isQuiet: Bool {
    isCalm && time > plan.troubleEnds + .seconds(3) && acknowledgedInCalm > 0
  }

  /// Looks whether all is done; a life that does not come to an end has a finding.
  mutating func hasConverged(at due: Moment) -> Bool {
    time = due
    counts[.membershipsChanged] = log.membershipChanges
    guard let obstacle else { return true }
    if time > plan.troubleEnds + Limits.convergence {
      fail(.convergence, "\(Limits.convergence / .seconds(1)) s after the last fault: \(obstacle)")
    }
    return false
  }

  /// What is not as it must be in the end; nothing if all is.
  private var obstacle: String? {
    guard isQuiet else { return "nothing that operators asked for is done" }
    let statuses = machines.compactMap { $0.process?.replica.status }
    let leaders = statuses.filter { $0.role == .leader }
    guard leaders.count == 1, let leader else { return "\(leaders.count) managers lead" }
    let ends = Set(statuses.map(\.committed.number))
    guard ends.count == 1 else { return "replicas have come to slots \(ends.sorted())" }
    for (index, machine) in machines.enumerated() {
      guard let process = machine.process else { return "manager \(index) does not run" }
      guard process.manager.state == log.states.last else {
        return "manager \(index) is not at the newest state"
      }
      guard process.openRequests == 0 else {
        return "manager \(index) has not answered \(process.openRequests) requests"
      }
    }
    guard history.newest <= log.newest else { return "what was acknowledged is not there" }
    let pools = machines[leader].process?.manager.clusterState().ports ?? []
    guard pools.allSatisfy({ $0.orphaned == 0 }) else { return "ports of VMs that are gone are not free" }
    guard pools.allSatisfy({ $0.holdings.allSatisfy { $0.recalled == 0 } }) || !hasMux(leader) else {
      return "ports that were recalled are not back"
    }
    return agents.indices.lazy.compactMap { nodeObstacle($0, leader) }.first ?? muxObstacle(leader)
  }

  private func hasMux(_ leader: Int) -> Bool {
    machines[leader].process?.manager.state.desired.nodes.values.contains { $0.roles.contains(.mux) } ?? false
  }

  /// All MUXes send the same connection to the same VM, and only to one that is there.
  private func muxObstacle(_ leader: Int) -> String? {
    guard let state = machines[leader].process?.manager.state else { return nil }
    let muxes = agents.filter { state.desired.nodes[$0.name]?.roles.contains(.mux) ?? false }
    let choices = muxes.map(\.path.choices)
    guard choices.allSatisfy({ $0 == choices.first }) else { return "MUXes choose differently" }
    let locators = Set(state.locators.values)
    guard (choices.first ?? []).allSatisfy({ $0.map(locators.contains) ?? true }) else {
      return "MUXes choose a VM that is not there"
    }
    return nil
  }

  private func nodeObstacle(_ index: Int, _ leader: Int) -> String? {
    guard let manager = machines[leader].process?.manager,
      manager.state.desired.nodes[agents[index].name] != nil
    else { return nil }
    let agent = agents[index]
    let listing = manager.clusterState().nodes.first { $0.node.name == agent.name }
    guard listing?.isConnected == true else { return "\(agent.name) has no stream to the primary" }
    guard agent.node.revision == manager.state.revision, listing?.revision == manager.state.revision else {
      return "\(agent.name) runs revision \(agent.node.revision.number) of \(manager.state.revision.number)"
    }
    // Without a MUX no lease is ripe.
    let node = Self.node(
      agent.name, by: manager.state, manager.state.epoch, leases: hasMux(leader) ? nil : agent.node.leases)
    guard agent.ports.returned.isEmpty else { return "\(agent.name) gives ports back and nobody takes them" }
    guard agent.node == node else {
      return "\(agent.name) is not what the newest revision makes it"
    }
    for (placement, isHealthy) in agent.health {
      let machine = agent.node.machines[placement.locator]?.name ?? ""
      let known = manager.state.health[BackendKey(machine: machine, endpoint: placement.key)]
      guard known?.isHealthy == isHealthy else {
        return "the health of \(machine) at \(agent.name) is not known"
      }
    }
    return nil
  }
}
