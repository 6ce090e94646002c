import Control
import Testing

@testable import Manager

/// Histories of entries from seeds: whatever happens, the commands lead where the snapshot is.
@Suite("Histories of entries") struct HistoryTests {
  @Test("deltas lead to the snapshot, twice the same", arguments: 0..<16)
  func deltas(block: UInt64) {
    var accepted = 0
    for seed in block * seedsPerBlock..<(block + 1) * seedsPerBlock {
      guard let count = Self.run(seed: seed) else { return }
      accepted += count
    }
    #expect(accepted > Int(seedsPerBlock) * 12, "too few accepted entries to prove anything")
  }

  /// How many entries were accepted; nil when something was wrong.
  private static func run(seed: UInt64) -> Int? {
    var world = RandomWorld(seed: seed)
    var state = ManagerState()
    var twin = ManagerState()
    var models = Dictionary(uniqueKeysWithValues: RandomWorld.nodeNames.map { ($0, NodeModel()) })
    var accepted = 0
    for step in 0..<32 {
      guard let entry = entry(step, &world, state) else { continue }
      accepted += 1
      let revision = Revision(state.revision.number + 1)
      let before = state.desired.nodes
      let commands = state.apply(entry, at: revision)
      #expect(twin.apply(entry, at: revision) == commands, "seed \(seed), step \(step)")
      #expect(twin == state, "seed \(seed), step \(step)")
      #expect(commands.map(\.node) == commands.map(\.node).sorted())
      for name in RandomWorld.nodeNames where before[name]?.roles != state.desired.nodes[name]?.roles {
        #expect(!commands.contains { $0.node == name }, "seed \(seed), step \(step)")
        models[name] = NodeModel(state.snapshot(for: name))
      }
      for each in commands {
        #expect(!each.commands.isEmpty)
        for command in each.commands { models[each.node]?.carryOut(command) }
      }
      for name in RandomWorld.nodeNames {
        let whole = NodeModel(state.snapshot(for: name))
        guard models[name] == whole else {
          Issue.record("seed \(seed), step \(step), \(name): \(entry)")
          return nil
        }
      }
      check(state, seed)
    }
    #expect(ManagerState(ManagerSnapshot(state)) == state, "seed \(seed)")
    return accepted
  }

  private static func entry(_ step: Int, _ world: inout RandomWorld, _ state: ManagerState) -> Entry? {
    if step > 0, world.generator.chance(30) { return portEntry(&world, state) }
    if step > 0, world.generator.chance(40) {
      let node = RandomWorld.nodeNames[world.generator.below(3)]
      let probed = NodeModel(state.snapshot(for: node)).probed
      let changes = probed.filter { _ in world.generator.chance(50) }.map { placement in
        let isHealthy = world.generator.chance(60)
        return HealthChange(
          locator: placement.locator, key: placement.key, isHealthy: isHealthy,
          reason: isHealthy ? "ok" : "no")
      }
      // Sometimes a host reports about another's VMs.
      return .health(changes, node: world.generator.chance(90) ? node : RandomWorld.nodeNames[0])
    }
    let operation = step == 0 ? world.foundation() : world.operation()
    return Validation(operation, on: state.desired).isAccepted
      ? .operation(operation, by: Author(name: "test", at: 0)) : nil
  }

  /// Hosts ask for ports and give them back; a return may be said twice.
  private static func portEntry(_ world: inout RandomWorld, _ state: ManagerState) -> Entry? {
    let ports = ManagerSnapshot(state).ports
    switch world.generator.below(7) {
    case 0..<3:
      let locators = state.locators.values.sorted().filter { _ in world.generator.chance(50) }
      return .portsRequested(locators.map(PortRequest.init), at: UInt64(world.generator.below(20_000)))
    case 3:
      var returns: [PortReturn] = []
      for grant in ports?.grants ?? [] {
        guard let locator = state.locators[grant.machine] else { continue }
        for port in grant.ports where world.generator.chance(30) {
          guard let range = PortRange(vip: grant.vip, firstPort: port) else { continue }
          let item = PortReturn(PortLease(range, to: locator), granted: grant.revision)
          returns += world.generator.chance(20) ? [item, item] : [item]
        }
      }
      return .portsReturned(returns)
    case 4:
      guard let orphan = ports?.orphans.first else { return nil }
      return .portsReleased(node: orphan.node, upTo: orphan.revision)
    case 5: return .portsRipe(upTo: Revision(UInt64(world.generator.below(Int(state.revision.number) + 1))))
    default:
      let name = RandomWorld.machineNames[world.generator.below(6)]
      return .portsRecalled(.machine(name), by: Author(name: "test", at: 0))
    }
  }

  /// No range is two VMs', and MUXes know exactly those that are leased.
  private static func checkPorts(_ state: ManagerState, _ seed: UInt64) {
    let leased = ManagerSnapshot(state).ports?.grants.reduce(0) { $0 + $1.ports.count } ?? 0
    #expect(state.ports.leasedCount == leased, "seed \(seed)")
    var taken: Set<PortRange> = []
    for pool in ManagerSnapshot(state).ports.map({
      $0.grants.map { ($0.vip, $0.ports) } + $0.orphans.map { ($0.vip, $0.ports) }
    }) ?? [] {
      for port in pool.1 {
        guard let range = PortRange(vip: pool.0, firstPort: port) else { continue }
        #expect(taken.insert(range).inserted, "seed \(seed): \(range) is taken twice")
      }
    }
    let listed = state.desired.nodes.isEmpty ? [] : Manager(state).clusterState().ports
    for pool in listed {
      let held = pool.holdings.reduce(0) { $0 + $1.ranges }
      let ranges = taken.filter { $0.vip == pool.vip }
      #expect(ranges.count == held + pool.orphaned, "seed \(seed): \(pool.vip)")
      // Those with an endpoint's port come back and are not leased again.
      let excluded = ranges.count { state.ports.pools[pool.vip]?.excludes($0.number) == true }
      #expect(pool.free + ranges.count == pool.capacity + excluded, "seed \(seed): \(pool.vip)")
    }
  }

  /// What must be true of every state.
  private static func check(_ state: ManagerState, _ seed: UInt64) {
    checkPorts(state, seed)
    #expect(
      Set(state.locators.values).count == state.desired.machines.count, "seed \(seed): a locator is shared")
    for (name, locator) in state.locators {
      let host = state.desired.machines[name].flatMap { state.desired.nodes[$0.host] }
      #expect(host?.locators.map { LocatorRange($0).contains(locator) } == true, "seed \(seed): \(name)")
    }
    for (backend, _) in state.health {
      let isServed = state.desired.services.values.contains { service in
        service.vip == backend.endpoint.vip
          && service.endpoints.contains { endpoint in
            endpoint.port == backend.endpoint.port && endpoint.transport == backend.endpoint.transport
              && endpoint.probe != nil && endpoint.backends.contains { $0.machine == backend.machine }
          }
      }
      #expect(isServed, "seed \(seed): health of \(backend) is kept for nothing")
    }
  }
}
