import Paxos

/// Entries on their way into the log, in the order in which they were appended: so many in the replica that it
/// never has to refuse one, the rest waits.
struct ProposalLine {
  private var waiting: [Appended] = []
  private var taken = 0
  private var underWay: [(request: UInt64, appended: Appended)] = []
  private var landed = 0
  private var octets = 0
  /// Nothing is proposed before the next tick: the replica could not take the last.
  var isBlocked = false
  /// An entry is lost: nothing may be proposed behind it, and the reign is about to end.
  var hasGap = false

  /// Entries that wait.
  var waitingCount: Int { waiting.count - taken }
  /// Entries in the replica.
  var underWayCount: Int { underWay.count - landed }

  mutating func append(_ appended: Appended) { waiting.append(appended) }

  /// The next to be proposed, if there is room.
  mutating func start(as request: UInt64) -> [UInt8]? {
    guard taken < waiting.count, !isBlocked, !hasGap, underWayCount < Limits.entriesUnderWay else {
      return nil
    }
    let next = waiting[taken]
    guard underWayCount == 0 || octets + next.octets.count <= Limits.octetsUnderWay else { return nil }
    taken += 1
    if taken == waiting.count || taken >= Limits.entriesUnderWay {
      waiting.removeFirst(taken)
      taken = 0
    }
    underWay.append((request, next))
    octets += next.octets.count
    return next.octets
  }

  /// The replica could not take the last that was proposed; it comes first again.
  mutating func putBack(_ request: UInt64) {
    guard underWayCount > 0, let last = underWay.last, last.request == request else { return }
    underWay.removeLast()
    octets -= last.appended.octets.count
    waiting.replaceSubrange(0..<taken, with: [last.appended])
    taken = 0
    isBlocked = true
  }

  /// An entry was chosen; nil if it is not the next of these.
  mutating func land(_ chosen: [UInt8]) -> Appended? {
    guard landed < underWay.count, underWay[landed].appended.octets == chosen else { return nil }
    let appended = underWay[landed].appended
    landed += 1
    octets -= chosen.count
    if landed == underWay.count || landed >= Limits.entriesUnderWay {
      underWay.removeFirst(landed)
      landed = 0
    }
    return appended
  }
}
