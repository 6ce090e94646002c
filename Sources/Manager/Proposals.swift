import Control

/// Entries that are on their way into the log, in order, and the desired state as they will leave it.
struct Proposals {
  /// What operations are judged on.
  private(set) var desired: DesiredState
  private var flights: [Flight] = []
  private var landed = 0
  /// How many health entries are on their way.
  private(set) var healthCount = 0

  /// How many beginnings of an epoch are on their way.
  private(set) var epochCount = 0

  /// One entry on its way.
  enum Flight {
    case epoch
    case health
    /// A rotation of keys, or a note: nobody waits for it here.
    case other
    /// With those who asked for something that this operation, or one before it, makes true already.
    case operation(RequestID, Validation, riders: [Rider])
  }

  /// A request that changes nothing, but must not be answered before what it relies on is durable.
  typealias Rider = (id: RequestID, validation: Validation)

  /// Begins with nothing on its way.
  init(_ desired: DesiredState) { self.desired = desired }

  var count: Int { flights.count - landed }
  var isFull: Bool { count >= Limits.entriesInFlight }

  /// A new primary's first entry is on its way.
  mutating func appendEpoch() {
    flights.append(.epoch)
    epochCount += 1
  }

  /// An entry that nobody waits for is on its way.
  mutating func appendOther() { flights.append(.other) }

  /// A health entry is on its way.
  mutating func appendHealth() {
    flights.append(.health)
    healthCount += 1
  }

  /// An accepted operation is on its way.
  mutating func append(_ id: RequestID, _ validation: Validation) {
    desired = validation.state
    flights.append(.operation(id, validation, riders: []))
  }

  /// Lets a request wait for the last operation on its way; false when there is none.
  mutating func ride(_ rider: Rider) -> Bool {
    for index in flights.indices.dropFirst(landed).reversed() {
      guard case .operation(let id, let validation, let riders) = flights[index] else { continue }
      flights[index] = .operation(id, validation, riders: riders + [rider])
      return true
    }
    return false
  }

  /// The first has arrived.
  mutating func land() -> Flight? {
    guard landed < flights.count else { return nil }
    let flight = flights[landed]
    landed += 1
    if case .health = flight { healthCount -= 1 }
    if case .epoch = flight { epochCount -= 1 }
    if landed == flights.count || landed >= 1024 {
      flights.removeFirst(landed)
      landed = 0
    }
    return flight
  }

  /// None will ever arrive: those who wait, in order.
  mutating func abandon(to desired: DesiredState) -> [RequestID] {
    let waiting = flights.dropFirst(landed).flatMap { flight -> [RequestID] in
      guard case .operation(let id, _, let riders) = flight else { return [] }
      return [id] + riders.map(\.id)
    }
    self = Proposals(desired)
    return waiting
  }
}

extension Validation {
  /// The answer to the one who asked, once the state has that revision.
  func outcome(at revision: Revision) -> Outcome {
    Outcome(revision: revision, changes: changes, warnings: warnings, errors: errors)
  }
}
