/// An entry that the leader has proposed and does not know to be chosen yet.
struct Flight: Sendable {
  var entry: Entry
  var request: RequestID?
  var voters: [ReplicaID] = []
  var sent: Milliseconds
}

/// What a leader keeps for its ballot.
struct Leadership: Sendable {
  struct Lease: Sendable {
    var voter: ReplicaID
    /// Until when the voter's grant may be used, on the leader's clock.
    var end: Milliseconds
  }

  let ballot: Ballot
  /// The ballot is prepared for this membership, and proposes in its slots only.
  let membership: Membership
  /// The leader's first own entry: once it is chosen, so is everything that was chosen before.
  let barrier: Slot
  /// What phase 1 found, to be proposed again.
  var votes: [Slot: Record]
  let lastVote: Slot
  /// The slot that is proposed next; flights are those between it and what is committed.
  var next: Slot
  var flights: [Flight] = []
  var octets = 0
  var leases: [Lease] = []
  var lastHeartbeat: Milliseconds
  /// When a majority was last heard of.
  var since: Milliseconds
  var isAnnounced = false
  /// The slot of a change of the membership that is proposed; one at a time.
  var change: Slot?
  /// A change waits for its slot.
  var isChangeQueued = false
  /// Leadership goes to this replica when nothing is in flight.
  var successor: ReplicaID?

  init(_ campaign: Campaign, committed: Slot, now: Milliseconds) {
    ballot = campaign.ballot
    membership = campaign.membership
    votes = campaign.votes
    lastVote = campaign.lastVote
    barrier = max(campaign.lastVote, committed).next
    next = committed.next
    lastHeartbeat = now
    since = now
  }

  /// The time up to which a majority's grants reach.
  var leaseEnd: Milliseconds {
    let ends = leases.map(\.end).sorted(by: >)
    return ends.count >= membership.majority ? ends[membership.majority - 1] : 0
  }

  mutating func renew(_ voter: ReplicaID, until end: Milliseconds) {
    guard membership.voters.contains(voter) else { return }
    if let index = leases.firstIndex(where: { $0.voter == voter }) {
      leases[index].end = max(leases[index].end, end)
    } else {
      leases.append(Lease(voter: voter, end: end))
    }
  }

  /// Counts a vote for the flight of a slot.
  mutating func vote(_ voter: ReplicaID, at index: Int) {
    guard flights.indices.contains(index), membership.voters.contains(voter),
      !flights[index].voters.contains(voter)
    else { return }
    flights[index].voters.append(voter)
  }

  /// The first flight, if a majority has voted for it; chosen entries leave in order.
  mutating func land() -> Flight? {
    guard let first = flights.first, first.voters.count >= membership.majority else { return nil }
    flights.removeFirst()
    octets -= first.entry.size
    return first
  }
}

/// A replica without a vote that has asked for entries.
struct LearnerProgress: Hashable, Sendable {
  var replica: ReplicaID
  var next: Slot
  var heard: Milliseconds
}
