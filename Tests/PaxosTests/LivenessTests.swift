import Testing

@testable import Paxos

/// What must not hold a cluster up.
struct LivenessTests {
  @Test("a change refused by a full queue can be asked for again")
  func changeAfterFullQueue() throws {
    var bench = try Bench(founders: 3)
    bench.pass(1_000)
    let leader = try #require(bench.leader)
    bench.cutOff = [leader]
    for number in 1...UInt64(Limits.window + Limits.queuedProposals) {
      bench.give(.propose(RequestID(number), [1]), to: leader)
    }
    let remove = Membership.Change.remove(ReplicaID(leader.number % 3 + 1))
    bench.give(.reconfigure(RequestID(9_001), remove), to: leader)
    #expect(bench.takeOutputs(of: leader).last == .refused(RequestID(9_001), .retryLater))
    bench.cutOff = []
    bench.pass(500)
    _ = bench.takeOutputs(of: leader)
    bench.give(.reconfigure(RequestID(9_002), remove), to: leader)
    #expect(!bench.takeOutputs(of: leader).contains(.refused(RequestID(9_002), .retryLater)))
    #expect(bench[leader.number].status.voters.count == 2)
  }

  @Test("a leader whose disk stands still under load makes way, and asks no more of the disk than is allowed")
  func frozenDiskUnderLoad() throws {
    var bench = try Bench(founders: 3)
    bench.pass(1_000)
    let old = try #require(bench.leader)
    bench.frozen = [old]
    for number in 1...UInt64(3 * Limits.unconfirmedBatches) {
      bench.give(.propose(RequestID(number), [1]), to: old)
    }
    #expect(bench[old.number].outbox.isCongested)
    #expect(bench[old.number].outbox.unconfirmed <= Limits.unconfirmedBatches + Limits.window)
    bench.pass(1_000)
    let new = try #require(bench.leader)
    #expect(new != old)
  }

  @Test("leadership goes over at the border of two memberships, too")
  func transferAtBorder() throws {
    var bench = try Bench(founders: 3)
    bench.pass(1_000)
    let old = try #require(bench.leader)
    let successor = ReplicaID(old.number % 3 + 1)
    let removed = ReplicaID(successor.number % 3 + 1)
    bench.frozen = [successor, removed]
    bench.give(.reconfigure(RequestID(1), .remove(removed)), to: old)
    // The change is chosen, and the entries up to the border are under way.
    bench.give(.persisted(upTo: WriteID(.max)), to: successor)
    bench.give(.transfer(RequestID(2), to: successor), to: old)
    #expect(bench.takeOutputs(of: old).last == .committed(RequestID(2), Slot(2)))
    bench.frozen = []
    bench.give(.persisted(upTo: WriteID(.max)), to: successor)
    bench.pass(200)
    #expect(bench.leader == successor)
  }

  @Test("who lags asks all others, though the last leader it heard of is dead")
  func staleLeaderIsForgotten() throws {
    var state = DurableState(
      founding: Bench.cluster, replica: ReplicaID(9), founders: (1...4).map { ReplicaID($0) })
    state.promised = Ballot(round: 1, replica: ReplicaID(1))
    var replica = try Replica(recovering: state, cluster: Bench.cluster, seed: 1)
    let heartbeat = Envelope(
      cluster: Bench.cluster, from: ReplicaID(1), to: ReplicaID(9),
      message: .heartbeat(state.promised, committed: Slot(5), sent: 0))
    _ = replica.handle(.received(heartbeat), at: 0)
    let asked = Self.asked(by: &replica, from: 0, for: 4_000).map(\.to.number)
    #expect(Set(asked) == [1, 2, 3, 4])
  }

  @Test("a snapshot that comes slowly is not begun anew from somebody else")
  func slowSnapshot() throws {
    let state = DurableState(joining: Bench.cluster, replica: ReplicaID(9))
    var replica = try Replica(
      recovering: state, cluster: Bench.cluster, contacts: [ReplicaID(1), ReplicaID(2)], seed: 1)
    let first = try #require(Self.asked(by: &replica, from: 0, for: 25).first).to
    let other = ReplicaID(3 - first.number)
    let mine = Self.chunks(slot: 40, octet: 1)
    let others = Self.chunks(slot: 50, octet: 2)
    _ = replica.handle(.received(Self.chunk(mine[0], from: first)), at: 50)
    #expect(Self.asked(by: &replica, from: 50, for: 900).isEmpty)
    #expect(replica.handle(.received(Self.chunk(others[0], from: other)), at: 950).isEmpty)
    let outputs = replica.handle(.received(Self.chunk(mine[1], from: first)), at: 960)
    let installed = outputs.compactMap { if case .install(let snapshot) = $0 { snapshot.slot } else { nil } }
    #expect(installed == [Slot(40)])
  }

  @Test("the rest of a snapshot is asked for again, from each in turn")
  func restOfSnapshot() throws {
    let voters = (1...3).map { ReplicaID($0) }
    let state = DurableState(founding: Bench.cluster, replica: voters[0], founders: voters)
    var replica = try Replica(recovering: state, cluster: Bench.cluster, seed: 1)
    let begun = Self.chunks(slot: 40, octet: 1)[0]
    _ = replica.handle(.received(Self.chunk(begun, from: voters[1], to: voters[0])), at: 0)
    let asked = Self.asked(by: &replica, from: 0, for: 3_000)
    #expect(Set(asked.map(\.to)) == [voters[1], voters[2]])
    let other = Self.chunks(slot: 30, octet: 2)
    let receiver = try #require(asked.last).to
    let answer = replica.handle(.received(Self.chunk(other[0], from: receiver, to: voters[0])), at: 3_000)
    #expect(answer.count == 1)
  }

  @Test("disks that are nearly as slow as a lease elect a leader all the same", arguments: UInt64(0)..<20)
  func slowDisks(seed: UInt64) {
    var world = World(seed: seed, syncs: 60...120, isQuiet: true)
    #expect(world.run() == nil)
  }

  private static func asked(
    by replica: inout Replica, from start: Milliseconds, for duration: Milliseconds
  ) -> [Envelope] {
    stride(from: start, through: start + duration, by: 25).flatMap { time in
      replica.handle(.tick, at: time).compactMap { output in
        guard case .send(let envelope) = output, case .catchUp = envelope.message else { return nil }
        return envelope
      }
    }
  }

  private static func chunks(slot: UInt64, octet: UInt8) -> [SnapshotChunk] {
    let members = [Membership(founders: (1...3).map { ReplicaID($0) })]
    let state = [UInt8](repeating: octet, count: 2 * Limits.chunkBytes)
    let snapshot = Snapshot(slot: Slot(slot), memberships: members, state: state)
    return [0, Limits.chunkBytes].map { offset in
      SnapshotChunk(
        slot: snapshot.slot, memberships: members, digest: snapshot.digest, total: state.count,
        offset: offset, octets: Array(state[offset..<offset + Limits.chunkBytes]))
    }
  }

  private static func chunk(
    _ chunk: SnapshotChunk, from sender: ReplicaID, to receiver: ReplicaID = ReplicaID(9)
  ) -> Envelope {
    Envelope(cluster: Bench.cluster, from: sender, to: receiver, message: .chunk(chunk))
  }
}
