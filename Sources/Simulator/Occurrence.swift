/// What is counted in a life, so that one sees that something happened at all.
public enum Occurrence: Int, CaseIterable, Sendable {
  // What was done.
  case events, elections, depositions, writesAcknowledged, writesUncertain, readsAnswered, waitsEnded
  case requestsRefused, requestsShed, requestsUnanswered, validationRefused
  case revisions, snapshotsTaken, snapshotsInstalled, membershipsChanged
  case updatesApplied, updatesRefused, updatesOutOfOrder, primariesFenced, agentsRefused
  case reportsHeld, statisticsShed
  case rangesLeased, portsReturned, portsRefused, recallsAnswered, rangesLeasedPastLateMuxes
  // What went wrong.
  case messagesLost, messagesRepeated, messagesLate, delays, partitions, oneWayPartitions
  case driftChanges, clockJumps
  case suspensions, crashes, powerFailures, tornWrites, diskStalls, disksFull, disksLost
  case transfers, agentCrashes, agentsDeaf, bursts

  /// As it is printed.
  public var name: String {
    var words = ""
    for letter in String(describing: self) {
      words += letter.isUppercase ? " " + letter.lowercased() : String(letter)
    }
    return words
  }
}

/// How often each occurrence was seen.
public struct Counts: Sendable, Hashable {
  private var values = Occurrence.allCases.map { _ in 0 }

  /// Nothing yet.
  public init() {}

  /// How often.
  public subscript(occurrence: Occurrence) -> Int {
    get { values[occurrence.rawValue] }
    set { values[occurrence.rawValue] = newValue }
  }

  /// Adds what happened in another life.
  public mutating func add(_ other: Counts) {
    for index in values.indices { values[index] += other.values[index] }
  }
}
