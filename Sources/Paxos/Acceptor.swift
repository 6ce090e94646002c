/// To whom an acceptor has promised to promise nobody else, and until when on its own clock.
struct LeaseGrant: Hashable, Sendable {
  var ballot: Ballot
  var until: Milliseconds
}

/// The acceptor: votes, and never takes a vote back ("Paxos Made Simple" §2.2).
///
/// It answers whoever asks, whether it has a vote or not: who counts is the proposer's business, and only a
/// proposer knows the membership of a slot.
extension Replica {
  /// Whether a promise to this replica breaks no grant; the holder of a grant may have another ballot.
  func mayPromise(to candidate: ReplicaID) -> Bool {
    guard let grant else { return true }
    return grant.ballot.replica == candidate || now >= grant.until
  }

  mutating func canvass(_ ballot: Ballot, _ theirs: Slot, from candidate: ReplicaID) {
    // One that was removed while it was cut off asks for votes, too; it learns of it here, lease or not.
    guard !teach(candidate, from: theirs.next), mayPromise(to: candidate) else { return }
    guard ballot > promised else {
      return outbox.send(.nack(ballot, promised: promised), to: candidate)
    }
    outbox.send(.supported(ballot), to: candidate)
  }

  /// Phase 1b.
  ///
  /// A candidate that lacks what is known to be chosen here is taught first, and asks again; so a promise
  /// holds nothing but slots that are open, at most `Limits.acceptorWindow` of them.
  mutating func prepare(_ ballot: Ballot, from slot: Slot, _ candidate: ReplicaID) {
    guard ballot >= promised, ballot.replica == candidate else {
      return outbox.send(.nack(ballot, promised: promised), to: candidate)
    }
    guard mayPromise(to: candidate), !teach(candidate, from: slot), !outbox.isCongested else { return }
    adopt(ballot)
    // Where disks are slow, candidates that did not let each other finish would go on for ever.
    awaitLeader()
    let page = log.page(from: slot, before: log.end)
    outbox.sendWhenDurable(
      .promise(Promise(ballot: ballot, from: slot, votes: page.records, rest: page.rest)), to: candidate)
  }

  /// Phase 2b, for slots in a row, all or none.
  mutating func accept(_ accept: Accept, from sender: ReplicaID) {
    let ballot = accept.ballot
    guard ballot >= promised, ballot.replica == sender else {
      return outbox.send(.nack(ballot, promised: promised), to: sender)
    }
    guard !outbox.isCongested else { return }
    follow(ballot)
    learn(committed: accept.committed, in: ballot, from: sender)
    let last = accept.first.advanced(by: accept.entries.count - 1)
    guard last <= committed.advanced(by: Limits.acceptorWindow) else { return }
    for (offset, entry) in accept.entries.enumerated() {
      let record = Record(slot: accept.first.advanced(by: offset), ballot: ballot, entry: entry)
      guard record.slot > committed, log[record.slot]?.ballot != ballot else { continue }
      log.insert(record)
      outbox.write(.record(record))
    }
    let answer = Message.accepted(
      ballot, first: accept.first, count: accept.entries.count, giveGrant(ballot, asked: accept.sent))
    outbox.sendWhenDurable(answer, to: sender)
    learn(committed: accept.committed, in: ballot, from: sender)
  }

  mutating func heartbeat(_ ballot: Ballot, committed slot: Slot, sent: Milliseconds, from sender: ReplicaID)
  {
    guard ballot >= promised, ballot.replica == sender else {
      return outbox.send(.nack(ballot, promised: promised), to: sender)
    }
    guard !outbox.isCongested else { return }
    follow(ballot)
    outbox.sendWhenDurable(.granted(ballot, giveGrant(ballot, asked: sent)), to: sender)
    learn(committed: slot, in: ballot, from: sender)
  }

  /// The leader of the ballot will not use its lease again; so nobody has to wait for its end.
  mutating func resigned(_ ballot: Ballot, successor: ReplicaID?) {
    guard let held = grant, held.ballot == ballot else { return }
    grant = nil
    if leader == ballot.replica { leader = nil }
    electionDue = successor == id ? now : now + tuning.jitter + jitter.next(below: tuning.jitter)
    if successor == id { tickElection() }
  }

  /// Promises a ballot, durably before the next answer goes out.
  private mutating func adopt(_ ballot: Ballot) {
    guard ballot > promised else { return }
    promised = ballot
    highestRound = max(highestRound, ballot.round)
    outbox.write(.promised(ballot))
    if ballot.replica != id { stepDown() }
  }

  private mutating func follow(_ ballot: Ballot) {
    adopt(ballot)
    leader = ballot.replica
    // Whoever leads a ballot promised here ends what this replica was about to do in a lower one.
    if ballot.replica != id, campaign != nil { stepDown() }
    awaitLeader()
  }

  /// Stands for no election for as long as a leader may need to be heard of.
  private mutating func awaitLeader() {
    electionDue = now + tuning.lease + jitter.next(below: tuning.jitter)
  }

  private mutating func giveGrant(_ ballot: Ballot, asked: Milliseconds) -> Grant {
    grant = LeaseGrant(ballot: ballot, until: now + tuning.lease)
    return Grant(asked: asked, duration: tuning.lease)
  }

  /// Prepares a ballot of this replica's own: nobody hears of it before it is on disk, so it is never used
  /// twice.
  mutating func beginBallot(_ ballot: Ballot, voters: [ReplicaID]) {
    adopt(ballot)
    for voter in voters { outbox.sendWhenDurable(.prepare(ballot, from: committed.next), to: voter) }
  }
}
