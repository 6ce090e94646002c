import Control
import Manager
import Paxos
import Replication
import Testing

@Suite("Disks that fail", .timeLimit(.minutes(10))) struct DiskTests {
  @Test("a full disk stops a primary, which takes part again when there is room") func full() async throws {
    let group = Group(3)
    try group.startAll()
    let first = try #require(await group.primary())
    first.append("before")
    #expect(await group.allHold(["before"]))
    let epoch = try #require(first.known.epoch)
    first.disk.setFull(true)
    first.append("refused")
    #expect(await eventually { !first.isPrimary && first.log.obstacle?.contains("full") == true })
    #expect(first.halted == 1)
    #expect(await first.answer { $0.read($1) } == .unreadable(nil))
    let second = try #require(await group.primary(above: epoch))
    second.append("meanwhile")
    #expect(await eventually { second.networks.contains("meanwhile") })
    #expect(await first.log.group().managers.first { $0.address == first.address }?.role == .halted)
    first.disk.setFull(false)
    #expect(await eventually { first.networks.isSuperset(of: ["before", "meanwhile"]) })
    #expect(first.log.obstacle == nil)
    #expect(first.told.filter { $0 != "refused" } == ["before", "meanwhile"])
    #expect(second.told == first.told)
    await group.stop()
  }

  @Test("a full disk of a single manager: changes are uncertain, later ones succeed") func fullAlone()
    async throws
  {
    let group = Group(1)
    try group.startAll()
    let only = try #require(await group.primary())
    only.append("a")
    #expect(await group.allHold(["a"]))
    only.disk.setFull(true)
    only.append("b")
    #expect(await eventually { !only.isPrimary })
    only.disk.setFull(false)
    #expect(await eventually { only.isPrimary })
    only.append("c")
    #expect(await group.allHold(["a", "c"]))
    #expect(only.known.installs == 0)
    #expect(only.told.filter { $0 != "b" } == ["a", "c"])
    await group.stop()
  }

  @Test("a replica whose disk is damaged while it runs ends, and says why") func damagedLater() async throws {
    let group = Group(3)
    try group.startAll()
    let primary = try #require(await group.primary())
    let victim = try #require(group.members.first { $0 !== primary })
    victim.disk.damage("page 7 is not what was written")
    primary.append("a")
    #expect(await victim.log.ended() == "page 7 is not what was written")
    #expect(await eventually { primary.networks == ["a"] })
    await group.stop()
  }

  @Test("a damaged disk is not started from", arguments: [true, false]) func damagedBefore(snapshot: Bool)
    throws
  {
    var state = DurableState(founding: ClusterID(1), replica: ReplicaID(5), founders: [ReplicaID(5)])
    state.committed = Slot(3)
    let disk = MemoryDisk(5, holding: state)
    if snapshot { disk.damage("page 7 is not what was written") }
    #expect {
      try Group(1).start(0, disk: disk)
    } throws: { error in
      let failure = error as? DiskFailure
      return failure?.code == .damaged
        && failure?.description.contains(snapshot ? "page 7" : "slot 1 of the log is missing") == true
    }
  }

  @Test(
    "an entry that cannot be read ends the replica and names itself",
    arguments: [([2, 123, 125], "version 2"), ([1, 123], "JSON"), ([], "empty")])
  func undecodable(octets: [UInt8], reason: String) async throws {
    var state = DurableState(founding: ClusterID(1), replica: ReplicaID(5), founders: [ReplicaID(5)])
    let ballot = Ballot(round: 1, replica: ReplicaID(5))
    state.promised = ballot
    state.records = [Record(slot: Slot(1), ballot: ballot, entry: .command(octets))]
    state.committed = Slot(1)
    let group = Group(1)
    let member = try group.start(0, disk: MemoryDisk(5, holding: state))
    let sentence = await member.log.ended()
    #expect(sentence?.contains("slot 1") == true && sentence?.contains(reason) == true)
    #expect(!member.isPrimary)
    await group.stop()
  }
}
