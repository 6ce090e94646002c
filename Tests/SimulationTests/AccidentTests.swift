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
    private(set) var new = 0
    /// When it thaws.
    private(set) var thaw: Moment = 0
    let oldEpoch: Epoch

    init(bug: Simulator.Bug? = nil) throws {
      let plan = Plan(founders: 5, workload: Workload(hosts: 3, muxes: 2))
      world = World(plan, Chance(seed: 1), bug: bug)
      world.run(until: .seconds(3))
      old = try #require(world.leader)
      let foundation = Call.change(plan.workload.foundation(&world.chance))
      let attempt = world.history.ask(foundation)
      world.send(Ticket(client: World.crowd, attempt: attempt, call: foundation), to: old)
      world.run(until: .seconds(15))
      oldEpoch = try #require(world.machines[old].process?.epoch)
      try #require(world.agents.allSatisfy { $0.node.epoch == oldEpoch })

      // Agents come anew; their snapshots leave it and stay in the network's queues. Then it stands still.
      for agent in world.agents.indices {
        world.network.cut(from: .manager(old), to: .agent(agent))
        world.agents[agent].hint = old
        world.connect(agent: agent)
      }
      world.run(until: world.time + .milliseconds(200))
      for other in world.machines.indices where other != old {
        world.network.cutBothWays(.manager(old), .manager(other))
      }
      thaw = world.time + .seconds(120)
      world.machines[old].disk.stall(until: thaw)
      world.machines[old].suspendedUntil = thaw
      world.agenda.add(.resume(old), at: thaw)

      // Another takes over; agents hear of it, and go on listening to the old one.
      world.run(until: world.time + .seconds(2))
      new = try #require(world.leaders.first { $0 != old })
      for agent in world.agents.indices { world.agents[agent].hint = new }
      world.run(until: thaw - 1)
    }

    /// The queues empty themselves at the nodes.
    mutating func emptyQueues() {
      for agent in world.agents.indices { world.network.mend(from: .manager(old), to: .agent(agent)) }
      world.run(until: thaw + .milliseconds(900))
    }
  }

  @Test("no MUX and no host obeys it")
  func nobodyObeys() throws {
    var accident = try Accident()
    let newEpoch = try #require(accident.world.machines[accident.new].process?.epoch)
    #expect(newEpoch > accident.oldEpoch)
    let before = accident.world.agents.map(\.node)
    #expect(before.allSatisfy { $0.epoch == newEpoch })
    #expect(accident.world.counts[.updatesRefused] == 0)
    accident.emptyQueues()
    #expect(accident.world.finding == nil)
    #expect(accident.world.counts[.updatesRefused] >= accident.world.agents.count)
    #expect(accident.world.agents.allSatisfy { $0.node.epoch == newEpoch })
    for (agent, node) in zip(accident.world.agents, before) { #expect(agent.node.revision >= node.revision) }
  }

  @Test("it orders nothing before it has completed a write")
  func provesItself() throws {
    var accident = try Accident()
    let old = accident.old
    // It still believes to be primary when it thaws; its first look at the clock tells it better.
    #expect(accident.world.machines[old].process?.epoch == accident.oldEpoch)
    accident.world.run(until: accident.thaw + .milliseconds(10))
    #expect(accident.world.machines[old].process?.epoch == nil)
    accident.emptyQueues()
    #expect(accident.world.finding == nil)

    // It leads again only with a ballot of its own that a majority has chosen.
    accident.world.network.heal()
    accident.world.run(until: accident.world.time + .seconds(5))
    #expect(accident.world.machines[old].process?.epoch == nil)
    // Whoever is asked to take over may be overtaken by another candidate.
    for _ in 0..<10 where accident.world.leader != old {
      let leader = try #require(accident.world.leader)
      accident.world.handOver(from: leader, to: old)
      accident.world.run(until: accident.world.time + .seconds(5))
    }
    #expect(accident.world.finding == nil)
    let epoch = try #require(accident.world.machines[old].process?.epoch)
    #expect(epoch > accident.oldEpoch)
    #expect(accident.world.agents.allSatisfy { $0.node.epoch == epoch })
  }

  @Test("nodes that obeyed whoever speaks would be found out")
  func withoutFencing() throws {
    var accident = try Accident(bug: .stalePrimaryNotFenced)
    accident.emptyQueues()
    #expect(accident.world.finding?.rule == .fencing)
  }
}
