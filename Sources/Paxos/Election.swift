/// A replica's attempt to lead.
struct Campaign: Sendable {
  enum Phase: Hashable, Sendable {
    /// Asking whether it would be promised anything.
    case canvassing
    /// Phase 1 of Paxos, once for all later slots ("Paxos Made Simple" §3).
    case preparing
  }

  var ballot: Ballot
  /// Whose promises count: the membership of the first slot that is not known to be chosen.
  var membership: Membership
  var phase: Phase
  /// A leader that goes on under a new membership keeps its proposals.
  var isContinuation: Bool
  var deadline: Milliseconds
  var lastSent: Milliseconds
  var supporters: [ReplicaID] = []
  /// From where the next page of a voter's votes begins.
  var pages: [ReplicaID: Slot] = [:]
  /// The vote of the highest ballot in each slot.
  var votes: [Slot: Record] = [:]
  var lastVote = Slot.none

  /// Counts a voter; true when it makes a majority.
  mutating func count(_ voter: ReplicaID) -> Bool {
    guard membership.voters.contains(voter), !supporters.contains(voter) else { return false }
    supporters.append(voter)
    return supporters.count == membership.majority
  }

  mutating func merge(_ records: [Record]) {
    for record in records where (votes[record.slot]?.ballot ?? .none) < record.ballot {
      votes[record.slot] = record
      lastVote = max(lastVote, record.slot)
    }
  }
}

/// Elections: first ask around, then prepare.
extension Replica {
  mutating func tickElection() {
    if let campaign {
      if now >= campaign.deadline {
        stepDown()
      } else if now >= campaign.lastSent + tuning.retry {
        askAgain()
      }
      return
    }
    guard leadership == nil, now >= electionDue else { return }
    // Whoever led has been silent for a lease.
    leader = nil
    guard mayPromise(to: id), !outbox.isCongested,
      let membership = membership(at: committed.next), membership.voters.contains(id)
    else { return }
    let ballot = Ballot(round: max(highestRound, promised.round) + 1, replica: id)
    startCampaign(ballot, membership, .canvassing, isContinuation: false)
    for voter in membership.voters { outbox.send(.canvass(ballot, committed: committed), to: voter) }
  }

  mutating func supported(_ ballot: Ballot, by voter: ReplicaID) {
    guard campaign?.ballot == ballot, campaign?.phase == .canvassing, campaign?.count(voter) == true,
      let membership = campaign?.membership
    else { return }
    prepareBallot(ballot, membership, isContinuation: false)
  }

  /// Phase 1a.
  mutating func prepareBallot(_ ballot: Ballot, _ membership: Membership, isContinuation: Bool) {
    startCampaign(ballot, membership, .preparing, isContinuation: isContinuation)
    beginBallot(ballot, voters: membership.voters)
  }

  private mutating func startCampaign(
    _ ballot: Ballot, _ membership: Membership, _ phase: Campaign.Phase, isContinuation: Bool
  ) {
    campaign = Campaign(
      ballot: ballot, membership: membership, phase: phase, isContinuation: isContinuation,
      deadline: now + tuning.lease, lastSent: now)
  }

  /// Sends what was not answered again.
  ///
  /// A `prepare` is sent again only by a replica that has promised the ballot itself, durably or with its own
  /// message waiting behind the same write.
  mutating func askAgain() {
    guard let current = campaign else { return }
    campaign?.lastSent = now
    for voter in current.membership.voters where !current.supporters.contains(voter) {
      switch current.phase {
      case .canvassing: outbox.send(.canvass(current.ballot, committed: committed), to: voter)
      case .preparing:
        let slot = max(current.pages[voter] ?? .none, committed.next)
        outbox.sendWhenDurable(.prepare(current.ballot, from: slot), to: voter)
      }
    }
  }

  /// Phase 1b arrives, perhaps in several pages; an acceptor that has promised votes no more in lower
  /// ballots, so pages fit.
  mutating func promise(_ promise: Promise, by voter: ReplicaID) {
    guard let current = campaign, current.ballot == promise.ballot, current.phase == .preparing else {
      return
    }
    let expected = current.pages[voter]
    guard promise.from == expected || promise.from <= committed.next else { return }
    campaign?.merge(promise.votes)
    if let rest = promise.rest, rest > promise.from {
      campaign?.pages[voter] = rest
      outbox.sendWhenDurable(.prepare(current.ballot, from: rest), to: voter)
    } else if campaign?.count(voter) == true {
      lead()
    }
  }

  /// A campaign whose membership is not that of the next slot any more asks the wrong voters; one that was
  /// taught asks again.
  mutating func reviewCampaign() {
    guard let current = campaign else { return }
    if membership(at: committed.next)?.since != current.membership.since {
      stepDown()
    } else {
      askAgain()
    }
  }

  mutating func nack(_ ballot: Ballot, promised higher: Ballot) {
    guard higher > ballot else { return }
    highestRound = max(highestRound, higher.round)
    if campaign?.ballot == ballot || leadership?.ballot == ballot { stepDown() }
  }

  /// Goes back to following.
  ///
  /// What was under way may still be chosen; what was not sent never will.
  mutating func stepDown() {
    let wasLeading = leadership != nil || campaign?.isContinuation == true
    guard wasLeading || campaign != nil else { return }
    for flight in leadership?.flights ?? [] {
      if let request = flight.request { outbox.emit(.refused(request, .uncertain)) }
    }
    leadership = nil
    campaign = nil
    if leader == id { leader = nil }
    for proposal in proposals.takeAll() { refuse(proposal.request, .notLeader(leader)) }
    electionDue = now + tuning.retry + jitter.next(below: tuning.jitter)
    if wasLeading { outbox.emit(.deposed) }
  }
}
