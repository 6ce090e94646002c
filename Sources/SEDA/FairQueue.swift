/// One queue of a stage: keys take turns, and within a key who came first goes first.
///
/// A key with a thousand works delays another key's by one work per turn (Ananta §3.6.1: excessive requests of one
/// tenant do not slow down another's).
struct FairQueue<Key: Hashable & Sendable, Payload: Sendable>: Sendable {
  private struct Standing: Sendable {
    var waiting = Line<Work<Key, Payload>>()
    var running = 0
    /// Works not taken since the key's last turn.
    var shed = 0
    var inTurns = false

    var isIdle: Bool { waiting.isEmpty && running == 0 && !inTurns }
  }

  private struct Arrival: Sendable {
    let key: Key
    let ticket: Ticket
    let expiresAt: UInt64
  }

  let policy: QueuePolicy
  /// Works that wait.
  private(set) var count = 0
  private var standings: [Key: Standing] = [:]
  /// Keys in order of their turns.
  ///
  /// A key whose works all expired stays until its turn or until compaction.
  private var turns = Line<Key>()
  /// Works by age; those already served are skipped, the first always waits.
  ///
  /// The oldest of all is the oldest of
  /// its key, so that it needs no search in there; and since each key's turn comes, at most `capacity` works are
  /// served before it, which bounds the line to twice the capacity.
  private var arrivals = Line<Arrival>()

  init(policy: QueuePolicy) {
    self.policy = policy
  }

  /// When the oldest work expires, microseconds.
  var nextDeadline: UInt64? { arrivals.first?.expiresAt }

  /// Keys that it remembers; for the bound of its memory.
  var rememberedKeys: Int { standings.count }

  /// Why another work of a key may not enter.
  func refusal(of key: Key) -> ShedReason? {
    let standing = standings[key]
    let outstanding = (standing?.waiting.count ?? 0) + (standing?.running ?? 0)
    guard outstanding < policy.outstandingPerKey else { return .keyLimit }
    return count < policy.capacity ? nil : .queueFull
  }

  /// Keys that take turns now, with one that comes.
  var keysInTurn: Int { max(1, turns.count) }

  /// Notes that a work of a key was shed for the key's limit; returns the turns until the key has room for it.
  mutating func shed(_ key: Key) -> Int {
    standings[key]?.shed += 1
    return (standings[key]?.waiting.count ?? 0) + (standings[key]?.shed ?? 0)
  }

  mutating func append(_ work: Work<Key, Payload>) {
    standings[work.key, default: Standing()].waiting.append(work)
    if standings[work.key]?.inTurns == false {
      standings[work.key]?.inTurns = true
      turns.append(work.key)
    }
    arrivals.append(Arrival(key: work.key, ticket: work.ticket, expiresAt: work.expiresAt))
    count += 1
  }

  /// Takes the next work for a worker; `finished` is told when it is done.
  mutating func take() -> Work<Key, Payload>? {
    while let key = turns.popFirst() {
      guard let work = standings[key]?.waiting.popFirst() else {
        leaveTurns(key)
        continue
      }
      standings[key]?.running += 1
      standings[key]?.shed = 0
      count -= 1
      giveTurnBack(key)
      skipServed()
      return work
    }
    return nil
  }

  /// Takes the oldest work if it is too old.
  mutating func takeExpired(now: UInt64) -> Work<Key, Payload>? {
    guard let oldest = arrivals.first, oldest.expiresAt <= now else { return nil }
    let work = standings[oldest.key]?.waiting.popFirst()
    count -= 1
    skipServed()
    if turns.count > 2 * policy.capacity { compactTurns() }
    return work
  }

  /// Notes that a work which was taken is done.
  mutating func finished(_ key: Key) {
    standings[key]?.running -= 1
    forgetIfIdle(key)
  }

  private mutating func giveTurnBack(_ key: Key) {
    if standings[key]?.waiting.isEmpty == true {
      leaveTurns(key)
    } else {
      turns.append(key)
    }
  }

  private mutating func leaveTurns(_ key: Key) {
    standings[key]?.inTurns = false
    forgetIfIdle(key)
  }

  private mutating func forgetIfIdle(_ key: Key) {
    if standings[key]?.isIdle == true { standings[key] = nil }
  }

  private mutating func skipServed() {
    while let oldest = arrivals.first, standings[oldest.key]?.waiting.first?.ticket != oldest.ticket {
      _ = arrivals.popFirst()
    }
  }

  private mutating func compactTurns() {
    for _ in 0..<turns.count {
      guard let key = turns.popFirst() else { return }
      giveTurnBack(key)
    }
  }
}
