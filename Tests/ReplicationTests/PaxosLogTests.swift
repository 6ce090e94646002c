import Control
import Dispatch
import Manager
import Paxos
import Testing

@testable import Replication

@Suite("Replicas in one process", .timeLimit(.minutes(10))) struct PaxosLogTests {
  @Test("a group founds itself, and entries come to all in order", arguments: [1, 3, 5])
  func founding(count: Int) async throws {
    let group = Group(count, isSteady: true)
    try group.startAll()
    let primary = try #require(await group.primary())
    let names = (0..<200).map { "v\($0)" }
    for name in names { primary.append(name) }
    #expect(await group.allHold(Set(names)))
    let records = primary.known.state.auditRecords.map { $0.items.first?.key.name ?? "" }
    #expect(records == names)
    let durable = group.members.compactMap(\.disk.durable)
    #expect(Set(durable.map(\.cluster)).count == 1 && durable.count == count)
    #expect(durable.allSatisfy { $0.snapshot.memberships.first?.voters.count == count })
    // Entries that come during one sync share the next.
    #expect(primary.disk.writes.contains { $0 > 1 })
    await group.stop()
  }

  @Test("nobody founds before all are there and agree") func waits() async throws {
    let group = Group(3)
    try group.start(0)
    try group.start(1)
    try await Task.sleep(for: .seconds(4))
    #expect(group.members.allSatisfy { $0.disk.durable == nil })
    let managers = await group.members[0].log.group().managers
    #expect(managers.map(\.role) == [.unreachable, .forming, .forming])
    // Who waits for its cluster has not halted.
    #expect(group.members[0].halted == 0)
    try group.start(2)
    #expect(await group.primary() != nil)
    await group.stop()
  }

  @Test("when the primary dies another takes over, and nothing is lost", arguments: [3, 5])
  func failover(count: Int) async throws {
    let group = Group(count)
    try group.startAll()
    let first = try #require(await group.primary())
    first.append("before")
    #expect(await group.allHold(["before"]))
    let epoch = try #require(first.known.epoch)
    let others = group.members.filter { $0 !== first }
    let address = first.address.description
    #expect(await eventually { others.allSatisfy { $0.known.leader == address } })
    let dead = first.disk
    let index = try #require(group.managers.firstIndex(of: first.address))
    await group.kill(first)
    let second = try #require(await group.primary(above: epoch))
    #expect(second !== first)
    second.append("after")
    #expect(await group.allHold(["before", "after"]))
    // The dead one comes back with its disk.
    let back = try group.start(index, disk: MemoryDisk(0, holding: dead.durable))
    #expect(await eventually { back.networks == ["before", "after"] })
    await group.stop()
  }

  @Test("a primary that is cut off says so, and what it took is lost or not, but nobody is told it is there")
  func cutOff() async throws {
    let group = Group(3)
    try group.startAll()
    let first = try #require(await group.primary())
    let epoch = try #require(first.known.epoch)
    group.network.setCut(first.address, true)
    first.append("lost")
    let second = try #require(await group.primary(above: epoch))
    #expect(await eventually { !first.isPrimary })
    #expect(!first.networks.contains("lost"))
    second.append("kept")
    group.network.setCut(first.address, false)
    #expect(await eventually { first.networks.contains("kept") })
    #expect(await eventually { first.known.leader == second.address.description })
    await group.stop()
  }

  @Test("messages that are lost are sent again") func lossy() async throws {
    let group = Group(3, isSteady: true)
    group.network.lose(perMille: 200)
    try group.startAll()
    let primary = try #require(await group.primary())
    let names = (0..<200).map { "v\($0)" }
    for name in names { primary.append(name) }
    #expect(await eventually { primary.known.depositions > 0 || primary.networks == Set(names) })
    #expect(primary.known.depositions == 0)
    group.network.lose(perMille: 0)
    #expect(await group.allHold(Set(names)))
    await group.stop()
  }

  @Test("what was appended in an epoch that is over is dropped") func staleAppend() async throws {
    let group = Group(3, isSteady: true)
    try group.startAll()
    let first = try #require(await group.primary())
    let entry = Manager::Entry.note("stale", by: Author(name: "test", at: 0))
    first.log.append(entry, in: Epoch(0, replica: 1))
    first.log.append(entry, in: Epoch(1 << 40))
    first.append("fresh")
    #expect(await group.allHold(["fresh"]))
    #expect(first.known.state.revision == Revision(1))
    await group.stop()
  }

  @Test("a read is answered by the primary only, and names it otherwise") func reads() async throws {
    let group = Group(3, isSteady: true)
    try group.startAll()
    let primary = try #require(await group.primary())
    primary.append("a")
    #expect(await group.allHold(["a"]))
    #expect(await primary.answer { $0.read($1) } == .readable(Revision(1)))
    let follower = try #require(group.members.first { $0 !== primary })
    #expect(await eventually { follower.known.leader != nil })
    #expect(await follower.answer { $0.read($1) } == .unreadable(primary.address.description))
    await group.stop()
  }

  @Test("a primary that was stopped for longer than its lease knows it from the clock") func stopped()
    async throws
  {
    let group = Group(3)
    try group.startAll()
    let first = try #require(await group.primary())
    let epoch = try #require(first.known.epoch)
    first.log.executor.suspend()
    let second = try #require(await group.primary(above: epoch))
    second.append("meanwhile")
    #expect(await eventually { second.networks.contains("meanwhile") })
    // The question is the first thing it takes up, before any message of the new primary.
    async let answer = first.answer { $0.read($1) }
    try await Task.sleep(for: .milliseconds(100))
    first.log.executor.resume()
    if case .readable? = await answer { #expect(first.networks.contains("meanwhile")) }
    #expect(await eventually { !first.isPrimary && first.networks.contains("meanwhile") })
    await group.stop()
  }

  @Test("a primary whose disk stands still loses its lease, and goes on when it thaws") func frozen()
    async throws
  {
    let group = Group(1)
    try group.startAll()
    let only = try #require(await group.primary())
    only.disk.setHeld(true)
    only.append("held")
    #expect(await eventually { !only.isPrimary })
    #expect(await only.answer { $0.read($1) } == .unreadable(nil))
    #expect(!only.networks.contains("held"))
    only.disk.setHeld(false)
    #expect(await eventually { only.isPrimary && only.networks.contains("held") })
    await group.stop()
  }

  @Test("many entries are neither lost nor reordered, however many are appended at once") func flood()
    async throws
  {
    let group = Group(3, isSteady: true)
    try group.startAll()
    let primary = try #require(await group.primary())
    let epoch = try #require(primary.known.epoch)
    for index in 0..<4000 {
      primary.log.append(.note("\(index)", by: Author(name: "test", at: 0)), in: epoch)
    }
    #expect(await eventually { group.members.allSatisfy { $0.known.state.revision == Revision(4000) } })
    let notes = primary.known.state.auditRecords.map(\.note)
    #expect(notes == (3000..<4000).map(String.init))
    #expect(primary.known.depositions == 0)
    await group.stop()
  }
}
