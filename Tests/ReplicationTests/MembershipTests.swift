import Control
import Manager
import Paxos
import Replication
import Testing

@Suite("Managers come and go", .timeLimit(.minutes(10))) struct MembershipTests {
  @Test("a manager that lost its disk joins by a snapshot, is added, and the old one is removed")
  func rejoin() async throws {
    let group = Group(3, snapshotEntries: 64, isSteady: true)
    try group.startAll()
    let primary = try #require(await group.primary())
    let names = (0..<600).map { "v\($0)" }
    for name in names { primary.append(name) }
    #expect(await group.allHold(Set(names)))
    let victim = try #require(group.members.first { $0 !== primary })
    let index = try #require(group.managers.firstIndex(of: victim.address))
    await group.kill(victim)
    let new = try group.start(index, disk: MemoryDisk(999))
    #expect(await eventually { new.networks == Set(names) })
    #expect(new.known.installs == 1)
    let before = await primary.log.group()
    #expect(before.managers.first { $0.replica == 999 }?.isVoter == false)
    #expect(before.managers.contains { $0.replica == victim.disk.replica.number && $0.role == .unreachable })

    #expect(await primary.answer { $0.change($1, .add("n\(index)")) } == .changed(nil))
    let old = String(victim.disk.replica.number, radix: 16)
    #expect(await primary.answer { $0.change($1, .remove(old)) } == .changed(nil))
    #expect(
      await eventually {
        let voters = await primary.log.group().managers.filter(\.isVoter).map(\.replica)
        return Set(voters) == Set(group.members.map(\.disk.replica.number))
      })
    // The new one's vote counts: with it and one more there is a majority.
    let third = try #require(group.members.first { $0 !== primary && $0 !== new })
    await group.kill(third)
    let last = try #require(await group.primary())
    last.append("last")
    #expect(await eventually { new.networks.contains("last") })
    await group.stop()
  }

  @Test("entries on their way while the members change stay on their way") func changeUnderLoad() async throws
  {
    let group = Group(3, isSteady: true)
    try group.startAll()
    let primary = try #require(await group.primary())
    let epoch = try #require(primary.known.epoch)
    let other = try #require(group.members.first { $0 !== primary })
    let name = try #require(group.managers.firstIndex(of: other.address).map { "n\($0)" })
    for index in 0..<300 { primary.append("a\(index)") }
    async let removed = primary.answer { $0.change($1, .remove(name)) }
    for index in 0..<300 { primary.append("b\(index)") }
    #expect(await removed == .changed(nil))
    #expect(await eventually { primary.networks.count == 600 })
    #expect(await eventually { (primary.known.epoch ?? epoch) > epoch })
    #expect(primary.known.depositions == 0)
    // The removed one hears of it when it stands for election, and learns from then on.
    #expect(await eventually { await primary.answer { $0.change($1, .add(name)) } == .changed(nil) })
    await group.stop()
  }

  @Test("leadership is handed over, and a manager that ends hands it over by itself") func transfer()
    async throws
  {
    let group = Group(3)
    try group.startAll()
    let first = try #require(await group.primary())
    let epoch = try #require(first.known.epoch)
    let other = try #require(group.members.first { $0 !== first })
    let name = try #require(group.managers.firstIndex(of: other.address).map { "n\($0)" })
    #expect(await first.answer { $0.change($1, .transfer(to: name)) } == .changed(nil))
    let second = try #require(await group.primary(above: epoch))
    #expect(second === other)
    #expect(await eventually { !first.isPrimary })
    #expect(
      await eventually {
        await first.answer { $0.change($1, .transfer(to: name)) }
          == .changed(.notPrimary(address: other.address.description))
      })
    await second.log.stop()
    #expect(await group.primary(above: second.known.epoch ?? epoch) != nil)
    await group.stop()
  }

  @Test("changes that mean nothing are refused with a reason") func refusals() async throws {
    let group = Group(3, isSteady: true)
    try group.startAll()
    let primary = try #require(await group.primary())
    let cases: [(ManagerChange, String)] = [
      (.add("n0"), "has a vote already"), (.remove("nobody"), "has been heard of"),
      (.remove("ffff"), "has no vote"), (.transfer(to: "nobody"), "has been heard of"),
    ]
    for (change, words) in cases {
      guard case .changed(.refused(let reason))? = await primary.answer({ $0.change($1, change) }) else {
        Issue.record("\(change) was not refused")
        continue
      }
      #expect(reason.contains(words))
    }
    await group.stop()
  }

  @Test("another cluster's manager is not spoken with") func stranger() async throws {
    let group = Group(3)
    try group.start(0)
    try group.start(1)
    let state = DurableState(founding: ClusterID(77), replica: ReplicaID(7), founders: [ReplicaID(7)])
    try group.start(2, disk: MemoryDisk(7, holding: state))
    // The two have no cluster yet: they find this one, and join it.
    #expect(await eventually { group.members.allSatisfy { $0.disk.durable?.cluster == ClusterID(77) } })
    let other = DurableState(founding: ClusterID(78), replica: ReplicaID(8), founders: [ReplicaID(8)])
    await group.kill(group.members[2])
    try group.start(2, disk: MemoryDisk(8, holding: other))
    #expect(await eventually { group.network.refused["cluster", default: 0] > 0 })
    #expect(await group.members[0].log.group().managers.contains { $0.replica == 8 } == false)
    await group.stop()
  }
}
