import Testing

@testable import Paxos

/// What a replica does not take, and says so.
struct RefusalTests {
  @Test("another cluster's disk is not started from")
  func anotherCluster() {
    let state = DurableState(joining: ClusterID(1), replica: ReplicaID(1))
    #expect(throws: RecoveryError.anotherCluster(found: ClusterID(1), expected: ClusterID(2))) {
      try Replica(recovering: state, cluster: ClusterID(2), seed: 0)
    }
  }

  @Test("a log with a missing entry is not started from", arguments: [UInt64(1), 2, 3])
  func damagedLog(missing: UInt64) {
    let one = ReplicaID(1)
    var state = DurableState(founding: Bench.cluster, replica: one, founders: [one])
    for number in 1...UInt64(3) where number != missing {
      state.apply(.record(Record(slot: Slot(number), ballot: Ballot(round: 1, replica: one), entry: .noOp)))
    }
    state.apply(.committed(Slot(3)))
    #expect(throws: RecoveryError.damagedLog(Slot(missing))) {
      try Replica(recovering: state, cluster: Bench.cluster, seed: 0)
    }
  }

  static let strangers: [(Envelope, Envelope.Rejection)] = [
    (envelope(cluster: 6), .cluster(ClusterID(6))),
    (envelope(to: 4), .receiver(ReplicaID(4))),
    (envelope(version: 9), .version(9)),
    (envelope(.prepare(Ballot(round: .max, replica: ReplicaID(2)), from: Slot(1))), .outOfBounds),
    (
      envelope(
        .accept(
          Accept(
            ballot: Ballot(round: 1, replica: ReplicaID(2)), first: Slot(1),
            entries: Array(repeating: .noOp, count: Limits.messageEntries + 1), committed: .none, sent: 0))),
      .outOfBounds
    ),
    (
      envelope(.chosen([Record(slot: Slot(.max), ballot: .none, entry: .noOp)], committed: .none)),
      .outOfBounds
    ),
    (
      envelope(
        .accepted(
          Ballot(round: 1, replica: ReplicaID(2)), first: Slot(1), count: -1, Grant(asked: 0, duration: 0))),
      .outOfBounds
    ),
  ]

  @Test(
    "messages that are not for this replica, or out of bounds, are rejected with a reason",
    arguments: strangers)
  func strangeMessages(envelope: Envelope, reason: Envelope.Rejection) throws {
    let state = DurableState(
      founding: Bench.cluster, replica: ReplicaID(1), founders: [ReplicaID(1), ReplicaID(2)])
    var replica = try Replica(recovering: state, cluster: Bench.cluster, seed: 0)
    #expect(replica.handle(.received(envelope), at: 1) == [.rejected(from: ReplicaID(2), reason)])
  }

  @Test("too many proposals are refused, and all others are answered")
  func queueIsBounded() throws {
    var bench = try Bench(founders: 3)
    bench.pass(1_000)
    let leader = try #require(bench.leader)
    bench.cutOff = Set((1...3).map { ReplicaID($0) })
    let offered = UInt64(Limits.queuedProposals + Limits.window + 100)
    for number in 1...offered { bench.give(.propose(RequestID(number), [0]), to: leader) }
    let refused = bench.takeOutputs(of: leader).filter {
      if case .refused(_, .retryLater) = $0 { true } else { false }
    }
    #expect(refused.count == 100)
    bench.cutOff = []
    bench.pass(2_000)
    let committed = bench.takeOutputs(of: leader).filter { if case .committed = $0 { true } else { false } }
    #expect(committed.count == Int(offered) - 100)
  }

  @Test("who does not lead says who does, and what is too large is said to be")
  func refusals() throws {
    var bench = try Bench(founders: 3)
    bench.pass(1_000)
    let leader = try #require(bench.leader)
    let other = ReplicaID(leader.number % 3 + 1)
    bench.give(.propose(RequestID(1), [1]), to: other)
    #expect(bench.takeOutputs(of: other).last == .refused(RequestID(1), .notLeader(leader)))
    bench.give(.propose(RequestID(2), Array(repeating: 0, count: Limits.commandBytes + 1)), to: leader)
    #expect(bench.takeOutputs(of: leader).last == .refused(RequestID(2), .tooLarge))
  }

  private static func envelope(
    _ message: Message = .supported(.none), cluster: UInt64 = 5, to: UInt64 = 1,
    version: UInt16 = Limits.version
  ) -> Envelope {
    var envelope = Envelope(
      cluster: ClusterID(cluster), from: ReplicaID(2), to: ReplicaID(to), message: message)
    envelope.version = version
    return envelope
  }
}
