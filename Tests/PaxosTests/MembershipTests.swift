import Testing

@testable import Paxos

/// Changes of who votes ("Paxos Made Simple" §3).
struct MembershipTests {
  private static let three = Membership(founders: (1...3).map { ReplicaID($0) })

  @Test("a change is in force one window after its slot")
  func changesTakeEffectLater() throws {
    let four = try #require(Self.three.changed(by: .add(ReplicaID(4)), decided: Slot(10)))
    #expect(four.voters.map(\.number) == [1, 2, 3, 4])
    #expect(four.since == Slot(10 + UInt64(Limits.window)))
    #expect(four.majority == 3)
    // Not before the change before it is in force.
    #expect(four.changed(by: .remove(ReplicaID(1)), decided: Slot(11)) == nil)
    #expect(four.changed(by: .remove(ReplicaID(1)), decided: four.since)?.voters.count == 3)
  }

  @Test(
    "changes that change nothing, or leave nobody, are void",
    arguments: [
      (three, Membership.Change.add(ReplicaID(2))), (three, .remove(ReplicaID(9))),
      (Membership(founders: [ReplicaID(1)]), .remove(ReplicaID(1))),
      (Membership(founders: (1...7).map { ReplicaID($0) }), .add(ReplicaID(8))),
    ])
  func voidChanges(membership: Membership, change: Membership.Change) {
    #expect(membership.changed(by: change, decided: Slot(5)) == nil)
  }

  @Test("a new replica learns, gets a vote, and stands in for one that is removed")
  func replaceReplica() throws {
    var bench = try Bench(founders: 3)
    bench.pass(1_000)
    let leader = try #require(bench.leader)
    let lost = ReplicaID(leader.number % 3 + 1)
    bench.give(.reconfigure(RequestID(1), .add(ReplicaID(8))), to: leader)
    #expect(bench.takeOutputs(of: leader).last == .refused(RequestID(1), .notCaughtUp))

    try bench.join(ReplicaID(8))
    bench.pass(1_000)
    #expect(bench[8].committed == bench[leader.number].committed)
    #expect(bench[8].status.role == .learner)
    bench.give(.reconfigure(RequestID(2), .add(ReplicaID(8))), to: leader)
    bench.pass(500)
    #expect(bench[8].status.role == .follower)
    #expect(bench.leader == leader)

    bench.cutOff = [lost]
    bench.give(.reconfigure(RequestID(3), .remove(lost)), to: leader)
    bench.pass(2_000)
    let voters = try #require(bench.leader.map { bench[$0.number].status.voters })
    #expect(voters == [leader, ReplicaID((leader.number + 1) % 3 + 1), ReplicaID(8)].sorted())
  }

  @Test("a leader that is removed leaves, and another takes over at once")
  func removedLeader() throws {
    var bench = try Bench(founders: 3)
    bench.pass(1_000)
    let old = try #require(bench.leader)
    bench.give(.reconfigure(RequestID(1), .remove(old)), to: old)
    #expect(bench.takeOutputs(of: old).contains(.deposed))
    #expect(bench[old.number].status.role == .learner)
    bench.pass(700)
    let new = try #require(bench.leader)
    #expect(new != old)
    #expect(bench[new.number].status.voters.count == 2)
  }

  @Test("a snapshot of several chunks brings a new replica up to date")
  func snapshotInChunks() throws {
    var bench = try Bench(founders: 3)
    bench.pass(1_000)
    let leader = try #require(bench.leader)
    for number in 1...UInt64(400) { bench.give(.propose(RequestID(number), [1]), to: leader) }
    let state = (0..<(Limits.chunkBytes * 5 / 2)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    for id in bench.replicas.map(\.id) {
      let slot = bench[id.number].committed
      bench.give(.snapshotTaken(at: slot, state: state), to: id)
      #expect(bench[id.number].log.first == slot.next.advanced(by: -Limits.retainedEntries))
    }
    try bench.join(ReplicaID(8))
    bench.pass(2_000)
    let installed = bench.takeOutputs(of: ReplicaID(8)).compactMap {
      if case .install(let snapshot) = $0 { snapshot.state } else { nil }
    }
    #expect(installed == [state])
    #expect(bench[8].committed == bench[leader.number].committed)
  }
}
