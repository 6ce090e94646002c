import Testing

@testable import Paxos

/// Who may read, who may be elected, and when ("Paxos Made Live" §5.2).
struct LeaseTests {
  @Test(
    "a leader uses less of a grant the more clocks may drift",
    arguments: [
      (0, 1000, 998), (10, 1000, 978), (100, 1000, 816), (1000, 1000, 0), (10, 2, 0), (10, 5000, 978),
    ])
  func usablePart(drift: UInt64, grant: Milliseconds, usable: Milliseconds) {
    var tuning = Tuning()
    tuning.drift = drift
    #expect(tuning.usable(ofGrant: grant) == usable)
  }

  @Test("reads are answered under a majority's lease only, and nobody else is elected meanwhile")
  func readsNeedLease() throws {
    var bench = try Bench(founders: 3)
    bench.pass(1_000)
    let old = try #require(bench.leader)
    bench.give(.read(RequestID(1)), to: old)
    let committed = bench[old.number].committed
    #expect(bench.takeOutputs(of: old).last == .readable(RequestID(1), at: committed))

    bench.cutOff = [old]
    bench.pass(900)
    #expect(bench.leader == old)
    bench.pass(90)
    bench.give(.read(RequestID(2)), to: old)
    #expect(bench.takeOutputs(of: old).last == .refused(RequestID(2), .retryLater))
    #expect(bench.leader == nil)
    bench.pass(500)
    let new = try #require(bench.leader)
    #expect(new != old)
    #expect(bench[new.number].promised > bench[old.number].promised)
  }

  @Test("one that was cut off does not depose the leader when it returns")
  func returningReplicaDisturbsNobody() throws {
    var bench = try Bench(founders: 3)
    bench.pass(1_000)
    let leader = try #require(bench.leader)
    let ballot = bench[leader.number].promised
    let other = ReplicaID(leader.number % 3 + 1)
    bench.cutOff = [other]
    bench.pass(10_000)
    bench.cutOff = []
    bench.pass(1_000)
    #expect(bench.leader == leader)
    #expect(bench[other.number].promised == ballot)
  }

  @Test("after a start an acceptor keeps a grant that it may have given just before")
  func grantOutlivesCrash() throws {
    let voters = (1...3).map { ReplicaID($0) }
    var state = DurableState(founding: Bench.cluster, replica: voters[0], founders: voters)
    state.apply(.promised(Ballot(round: 4, replica: voters[1])))
    var replica = try Replica(recovering: state, cluster: Bench.cluster, seed: 1)
    let ballot = Ballot(round: 5, replica: voters[2])
    let asked = Envelope(
      cluster: Bench.cluster, from: voters[2], to: voters[0], message: .canvass(ballot, committed: .none))
    let answer = Envelope(cluster: Bench.cluster, from: voters[0], to: voters[2], message: .supported(ballot))
    #expect(replica.handle(.received(asked), at: 50_000) == [])
    #expect(replica.handle(.received(asked), at: 50_999) == [])
    #expect(replica.handle(.received(asked), at: 51_000) == [.send(answer)])
  }

  @Test("leadership goes over without waiting for the lease to end")
  func transfer() throws {
    var bench = try Bench(founders: 3)
    bench.pass(1_000)
    let old = try #require(bench.leader)
    let successor = ReplicaID(old.number % 3 + 1)
    bench.give(.transfer(RequestID(9), to: successor), to: old)
    #expect(bench.leader == successor)
    #expect(bench.takeOutputs(of: old).suffix(2) == [.committed(RequestID(9), Slot(1)), .deposed])
  }
}
