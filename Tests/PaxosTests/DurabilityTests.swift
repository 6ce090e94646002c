import Testing

@testable import Paxos

/// What is on disk before what is said.
struct DurabilityTests {
  @Test("a vote and a promise are told only when they are on disk, and one call writes one batch")
  func votesWaitForDisk() throws {
    let voters = (1...3).map { ReplicaID($0) }
    let state = DurableState(founding: Bench.cluster, replica: voters[0], founders: voters)
    var replica = try Replica(recovering: state, cluster: Bench.cluster, seed: 1)
    let ballot = Ballot(round: 1, replica: voters[1])
    let entries: [Entry] = [.command([1]), .command([2])]
    let accept = Accept(ballot: ballot, first: Slot(1), entries: entries, committed: .none, sent: 7)
    let outputs = replica.handle(.received(envelope(.accept(accept), from: voters[1])), at: 10)
    let writes: [Write] =
      [.promised(ballot)]
      + entries.enumerated().map { .record(Record(slot: Slot(UInt64($0) + 1), ballot: ballot, entry: $1)) }
    #expect(outputs == [.persist(WriteBatch(id: WriteID(1), writes: writes))])

    let heartbeat = envelope(.heartbeat(ballot, committed: .none, sent: 8), from: voters[1])
    #expect(replica.handle(.received(heartbeat), at: 11) == [])
    let answers = replica.handle(.persisted(upTo: WriteID(1)), at: 20)
    #expect(answers.count == 2)
    let grant = Grant(asked: 7, duration: 1000)
    let vote = Envelope(
      cluster: Bench.cluster, from: voters[0], to: voters[1],
      message: .accepted(ballot, first: Slot(1), count: 2, grant))
    #expect(answers.first == .send(vote))
  }

  @Test("a ballot is on its owner's disk before anyone hears of it")
  func ballotIsDurableFirst() throws {
    var bench = try Bench(founders: 1)
    bench.frozen = [ReplicaID(1)]
    bench.pass(2_000)
    #expect(bench.leader == nil)
    #expect(bench[1].promised.round >= 1)

    var three = try Bench(founders: 3)
    three.frozen = Set((1...3).map { ReplicaID($0) })
    three.pass(900)
    for envelope in three.takeSent() {
      if case .prepare = envelope.message { Issue.record("\(envelope) before the promise is on disk") }
    }
  }

  @Test("a majority is enough while the leader's own disk stands still")
  func frozenLeaderDisk() throws {
    var bench = try Bench(founders: 3)
    bench.pass(1_000)
    let leader = try #require(bench.leader)
    bench.frozen = [leader]
    bench.give(.propose(RequestID(1), [1]), to: leader)
    #expect(bench.takeOutputs(of: leader).last == .committed(RequestID(1), Slot(2)))
  }

  @Test("writes carried out give back what the replica knew")
  func writesReplay() {
    let one = ReplicaID(1)
    var state = DurableState(founding: Bench.cluster, replica: one, founders: [one])
    let ballot = Ballot(round: 1, replica: one)
    for number in [1, 2, 4, 3] as [UInt64] {
      state.apply(.record(Record(slot: Slot(number), ballot: ballot, entry: .noOp)))
    }
    state.apply(.record(Record(slot: Slot(2), ballot: ballot, entry: .command([9]))))
    #expect(state.records.map(\.slot.number) == [1, 2, 3, 4])
    #expect(state.records[1].entry == .command([9]))
    let snapshot = Snapshot(slot: Slot(2), memberships: [Membership(founders: [one])], state: [1])
    state.apply(.snapshot(snapshot, logFrom: Slot(2)))
    #expect(state.records.map(\.slot.number) == [2, 3, 4])
    #expect(state.committed == Slot(2))
  }

  private func envelope(_ message: Message, from sender: ReplicaID) -> Envelope {
    Envelope(cluster: Bench.cluster, from: sender, to: ReplicaID(1), message: message)
  }
}
