/// When the program is to be asked for its state, so that the log does not grow without end.
struct SnapshotDemand: Sendable {
  /// Since the program was asked last.
  private var entries = 0
  private var octets = 0
  /// Since the snapshot that there is.
  private(set) var octetsAbove = 0
  private var askedAt: Milliseconds = 0

  /// Notes an entry; true when the program is to be asked.
  mutating func isDue(after entry: Entry, every limit: Int, now: Milliseconds) -> Bool {
    entries += 1
    octets += entry.size
    octetsAbove += entry.size
    guard limit > 0, entries >= limit || octets >= Limits.snapshotLogBytes else { return false }
    ask(now)
    return true
  }

  /// The log is full, and the answer has not come: true when the program is to be asked again.
  mutating func isOverdue(now: Milliseconds, patience: Milliseconds) -> Bool {
    guard now >= askedAt + patience else { return false }
    ask(now)
    return true
  }

  /// The program's state has come, as it was when it was asked last or a little before.
  mutating func answered() { octetsAbove = octets }

  private mutating func ask(_ now: Milliseconds) {
    entries = 0
    octets = 0
    askedAt = now
  }
}
