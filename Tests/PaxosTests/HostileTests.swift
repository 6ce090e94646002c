import Testing

@testable import Paxos

/// Messages that no replica sends: refused or without effect, but never the end of the process.
struct HostileTests {
  @Test("no message ends a process, whatever numbers it carries", arguments: UInt64(0)..<40)
  func extremeNumbers(seed: UInt64) throws {
    var chance = Chance(seed: seed)
    var bench = try Bench(founders: 3)
    try bench.join(ReplicaID(4))
    if !seed.isMultiple(of: 5) { bench.pass(1_000) }
    var replica = bench[1 + seed % 4]
    for step in 0..<2_000 {
      let sender = ReplicaID(UInt64(chance.number(0...5)))
      let message = Self.message(replica, &chance)
      let envelope = Envelope(cluster: Bench.cluster, from: sender, to: replica.id, message: message)
      let now = bench.now + UInt64(step)
      let outputs = replica.handle(.received(envelope), at: now) + replica.handle(.tick, at: now)
      for case .persist(let batch) in outputs { _ = replica.handle(.persisted(upTo: batch.id), at: now) }
    }
    #expect(replica.log.end.distance(to: replica.committed) <= 0)
    #expect(replica.committed.distance(to: replica.log.end) <= Limits.acceptorWindow + 1)
  }

  /// A number that is often at a bound, or near what the replica has come to.
  private static func number(_ replica: Replica, _ chance: inout Chance) -> UInt64 {
    let bounds = [0, 1, Limits.greatestNumber, Limits.greatestNumber + 1, .max]
    let near = replica.committed.number + UInt64(chance.number(0...150))
    return [bounds[chance.number(0...4)], near, near, replica.promised.round][chance.number(0...3)]
  }

  private static func ballot(_ replica: Replica, _ chance: inout Chance) -> Ballot {
    let owner = ReplicaID(UInt64(chance.number(0...5)))
    return chance.happens(perThousand: 300)
      ? replica.promised : Ballot(round: number(replica, &chance), replica: owner)
  }

  private static func entries(_ count: Int, _ chance: inout Chance) -> [Entry] {
    let replica = ReplicaID(UInt64(chance.number(0...9)))
    return (0..<count).map { _ in
      [.noOp, .command([7]), .membership(.add(replica)), .membership(.remove(replica))][chance.number(0...3)]
    }
  }

  private static func records(_ replica: Replica, _ chance: inout Chance) -> [Record] {
    entries(chance.number(0...5), &chance).map {
      Record(slot: Slot(number(replica, &chance)), ballot: ballot(replica, &chance), entry: $0)
    }
  }

  private static func message(_ replica: Replica, _ chance: inout Chance) -> Message {
    let ballot = ballot(replica, &chance)
    let slot = Slot(number(replica, &chance))
    let other = Slot(number(replica, &chance))
    let time = number(replica, &chance)
    let grant = Grant(asked: time, duration: number(replica, &chance))
    let count = [-1, 0, 1, 64, 128, 129, .max, .min][chance.number(0...7)]
    switch chance.number(0...12) {
    case 0: return .canvass(ballot, committed: slot)
    case 1: return .supported(ballot)
    case 2: return .prepare(ballot, from: slot)
    case 3:
      return .promise(Promise(ballot: ballot, from: slot, votes: records(replica, &chance), rest: other))
    case 4:
      let entries = entries(chance.number(0...130), &chance)
      return .accept(Accept(ballot: ballot, first: slot, entries: entries, committed: other, sent: time))
    case 5: return .accepted(ballot, first: slot, count: count, grant)
    case 6: return .heartbeat(ballot, committed: slot, sent: time)
    case 7: return .granted(ballot, grant)
    case 8: return .nack(ballot, promised: Ballot(round: number(replica, &chance), replica: ballot.replica))
    case 9: return .resign(ballot, successor: chance.happens(perThousand: 500) ? replica.id : nil)
    case 10:
      let digest = chance.happens(perThousand: 500) ? replica.snapshot.digest : time
      return .catchUp(from: slot, Fragment(slot: other, digest: digest, offset: count))
    case 11: return .chosen(records(replica, &chance), committed: slot)
    default: return .chunk(chunk(replica, at: slot, offset: count, &chance))
    }
  }

  private static func chunk(
    _ replica: Replica, at slot: Slot, offset: Int, _ chance: inout Chance
  ) -> SnapshotChunk {
    let founders = (0..<chance.number(0...3)).map { ReplicaID(UInt64($0)) }
    let members = Array(repeating: Membership(founders: founders), count: chance.number(0...2))
    let octets = [UInt8](repeating: 3, count: chance.number(0...3))
    let total = [octets.count, 0, 4, -1, Limits.snapshotBytes, .max][chance.number(0...5)]
    return SnapshotChunk(
      slot: slot, memberships: members, digest: Snapshot(slot: slot, memberships: [], state: octets).digest,
      total: total, offset: chance.happens(perThousand: 700) ? 0 : offset, octets: octets)
  }
}
