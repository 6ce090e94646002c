/// How a replica that lags fetches what it lacks.
struct CatchUpState: Sendable {
  /// The last slot that someone knows to be chosen.
  var target = Slot.none
  /// Who was asked last.
  var source: ReplicaID?
  var lastAsked: Milliseconds?
  /// Counts the questions, to ask another replica each time when nobody is known to have what is missing.
  var turn = 0
  /// A snapshot that has arrived in part.
  var incoming: SnapshotChunk?
}

/// Catching up, from another's log or from its snapshot ("Paxos Made Live" §5.4).
extension Replica {
  mutating func fallBehind(_ slot: Slot, source: ReplicaID) {
    catchUp.target = max(catchUp.target, slot)
    if isAnswerOverdue { ask(source) }
  }

  /// Whether what was asked for is lost, as far as one can tell; a part of a snapshot takes its time.
  private var isAnswerOverdue: Bool {
    let patience = catchUp.incoming == nil ? tuning.retry : tuning.lease
    return catchUp.lastAsked.map { now >= $0 + patience } ?? true
  }

  private mutating func ask(_ source: ReplicaID) {
    catchUp.lastAsked = now
    catchUp.source = source
    if let incoming = catchUp.incoming, incoming.slot <= committed, !memberships.isEmpty {
      catchUp.incoming = nil
    }
    let fragment = catchUp.incoming.map {
      Fragment(slot: $0.slot, digest: $0.digest, offset: $0.octets.count)
    }
    outbox.send(.catchUp(from: memberships.isEmpty ? .none : committed.next, fragment), to: source)
  }

  /// Asks again; a replica without a vote, to which no leader speaks, asks all the time.
  mutating func tickLearner() {
    guard leadership == nil, isAnswerOverdue else { return }
    let voters = membership(at: committed.next)?.voters ?? []
    guard catchUp.target > committed || !voters.contains(id) else { return }
    let others = Set(voters + contacts).subtracting([id]).sorted()
    guard !others.isEmpty else { return }
    catchUp.turn = (catchUp.turn + 1) % others.count
    // Turns also come to the leader, which must hear of learners that are to have a vote.
    let isLeadersTurn = !catchUp.turn.isMultiple(of: 2)
    ask(isLeadersTurn ? leader ?? others[catchUp.turn] : others[catchUp.turn])
  }

  /// Sends chosen entries to a candidate that lacks them; false if it lacks none.
  mutating func teach(_ replica: ReplicaID, from slot: Slot) -> Bool {
    guard replica != id, slot <= committed else { return false }
    serve(replica, from: slot, nil)
    return true
  }

  /// Answers a replica that lags.
  mutating func serve(_ replica: ReplicaID, from slot: Slot, _ fragment: Fragment?) {
    note(replica, next: slot)
    if let fragment, fragment.slot == snapshot.slot, fragment.digest == snapshot.digest {
      return sendChunk(at: fragment.offset, to: replica)
    }
    guard slot >= log.first, slot > .none else {
      if !snapshot.memberships.isEmpty { sendChunk(at: 0, to: replica) }
      return
    }
    let page = log.page(from: slot, before: committed.next)
    outbox.send(.chosen(page.records, committed: committed), to: replica)
  }

  private mutating func sendChunk(at offset: Int, to replica: ReplicaID) {
    guard offset <= snapshot.state.count else { return }
    let end = min(snapshot.state.count, offset + Limits.chunkBytes)
    outbox.send(
      .chunk(
        SnapshotChunk(
          slot: snapshot.slot, memberships: snapshot.memberships, digest: snapshot.digest,
          total: snapshot.state.count, offset: offset, octets: Array(snapshot.state[offset..<end]))),
      to: replica)
  }

  /// Remembers how far replicas without a vote have come, so that one is not given a vote too early.
  private mutating func note(_ replica: ReplicaID, next slot: Slot) {
    learners.removeAll { $0.replica == replica }
    learners.append(LearnerProgress(replica: replica, next: slot, heard: now))
    if learners.count > Limits.learners { learners.removeFirst() }
  }

  /// Chosen entries arrive; a leader decides by votes alone, so that it can tell whose proposals are chosen.
  mutating func chosen(_ records: [Record], committed slot: Slot, from sender: ReplicaID) {
    guard leadership == nil, !memberships.isEmpty, !outbox.isCongested else { return }
    let before = committed
    for record in records { commit(record) }
    if slot > committed {
      catchUp.target = max(catchUp.target, slot)
      if committed > before { ask(sender) }
    }
    if committed > before { reviewCampaign() }
  }

  /// A part of a snapshot arrives; parts are taken in order, and only of one snapshot at a time.
  ///
  /// Replicas take theirs at different slots. Another than the one begun is taken only from who was asked
  /// last: otherwise two that answer slowly would each undo what the other has sent.
  mutating func chunk(_ chunk: SnapshotChunk, from sender: ReplicaID) {
    guard leadership == nil, !outbox.isCongested, chunk.slot > committed || memberships.isEmpty else {
      return
    }
    if let incoming = catchUp.incoming, incoming.slot == chunk.slot, incoming.digest == chunk.digest {
      guard chunk.offset == incoming.octets.count else { return }
      catchUp.incoming?.octets += chunk.octets
    } else {
      guard chunk.offset == 0, catchUp.incoming == nil || sender == catchUp.source else { return }
      catchUp.incoming = chunk
      catchUp.target = max(catchUp.target, chunk.slot)
    }
    guard let whole = catchUp.incoming else { return }
    guard whole.octets.count >= whole.total else { return ask(sender) }
    catchUp.incoming = nil
    let snapshot = Snapshot(slot: whole.slot, memberships: whole.memberships, state: whole.octets)
    guard snapshot.digest == whole.digest, whole.octets.count == whole.total else { return }
    install(snapshot)
    ask(sender)
  }
}
