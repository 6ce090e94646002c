import Control
import Testing

@testable import Simulator

/// The paper's accident (Ananta §6): the primary's disk freezes for two minutes and thaws, while another manager has
/// become primary; what the old one had under way arrives then, and nobody may obey it.
@Suite("The disk that froze for two minutes") struct AccidentTests {
  /// Two MUXes and three hosts with five managers, at the moment when the primary thaws.
  struct Accident {
    var world: World
    let old: Int
    let oldEpoch: Epoch

    init(bug: Bug? = nil) throws {
      let plan = Plan(founders: 5, workload: Workload(hosts: 3, muxes: 2))
      world = World(plan, Chance(seed: 1), bug: bug)
      world.run(until: .seconds(10))
      old = try #require(world.leader)
      oldEpoch = try #require(world.machines[old].process?.epoch)
      try #require(world.agents.allSatisfy { $0.node.epoch == oldEpoch })

      // Its commands leave it and stay in the network's queues; then it stands still.
      for agent in world.agents.indices { world.network.cut(from: .manager(old), to: .agent(agent)) }
      world.run(until: world.time + .seconds(1))
      for other in world.machines.indices where other != old {
        world.network.cutBothWays(.manager(old), .manager(other))
      }
      let thaw = world.time + .seconds(120)
      world.machines[old].disk.stall(until: thaw)
      world.machines[old].suspendedUntil = thaw
      world.agenda.add(.resume(old), at: thaw)
      world.run(until: thaw - 1)
    }

    /// The queues empty themselves at the nodes.
    mutating func thaw() {
      for agent in world.agents.indices { world.network.mend(from: .manager(old), to: .agent(agent)) }
      world.run(until: world.time + .milliseconds(900))
    }
  }

  @Test("no MUX and no host obeys it")
  func nobodyObeys() throws {
    var accident = try Accident()
    let new = try #require(accident.world.machines.indices.first { index in
      index != accident.old && accident.world.machines[index].process?.epoch != nil
    })
    let newEpoch = try #require(accident.world.machines[new].process?.epoch)
    #expect(newEpoch > accident.oldEpoch)
    let before = accident.world.agents.map(\.node)
    #expect(before.allSatisfy { $0.epoch == newEpoch })
    #expect(accident.world.counts[.updatesRefused] == 0)
    accident.thaw()
    #expect(accident.world.finding == nil)
    #expect(accident.world.counts[.updatesRefused] >= 1)
    #expect(accident.world.agents.allSatisfy { $0.node.epoch == newEpoch })
    for (agent, node) in zip(accident.world.agents, before) { #expect(agent.node.revision >= node.revision) }
  }

  @Test("it orders nothing before it has completed a write")
  func provesItself() throws {
    var accident = try Accident()
    accident.thaw()
    // It has been told of the newer primary, by the nodes that refused, and can reach no majority.
    #expect(accident.world.counts[.primariesFenced] == 1)
    #expect(accident.world.machines[accident.old].process?.epoch == accident.oldEpoch)
    #expect(accident.world.finding == nil)

    // When it reaches the others again it is deposed; it leads again only with a ballot of its own that is chosen.
    accident.world.network.heal()
    accident.world.run(until: accident.world.time + .seconds(5))
    #expect(accident.world.machines[accident.old].process?.epoch == nil)
    let leader = try #require(accident.world.leader)
    accident.world.handOver(from: leader, to: accident.old)
    accident.world.run(until: accident.world.time + .seconds(10))
    #expect(accident.world.finding == nil)
    let epoch = try #require(accident.world.machines[accident.old].process?.epoch)
    #expect(epoch > accident.oldEpoch)
    #expect(accident.world.agents.allSatisfy { $0.node.epoch == epoch })
  }

  @Test("nodes that obeyed whoever speaks would be found out")
  func withoutFencing() throws {
    var accident = try Accident(bug: .stalePrimaryNotFenced)
    accident.thaw()
    #expect(accident.world.finding?.rule == .fencing)
  }
}
