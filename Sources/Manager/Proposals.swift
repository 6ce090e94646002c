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
    /// An operator's recall of ports.
    case recall(RequestID)
    /// With those who asked for something that this operation, or one before it, makes true already: requests that
    /// change nothing, but must not be answered before what they rely on is durable.
    case operation(Answer, riders: [Answer])
  }

  /// What a request is told when its entry is there, but for the revision.
  ///
  /// Not the `Validation`: it holds a whole desired state, and thousands of them would fill the memory.
  struct Answer {
    let id: RequestID
    private let outcome: Outcome

    init(_ id: RequestID, _ validation: Validation) {
      self.id = id
      outcome = validation.outcome(at: Revision(0))
    }

    /// The answer, once the state has that revision.
    func outcome(at revision: Revision) -> Outcome {
      var outcome = outcome
      outcome.revision = revision
      return outcome
    }
  }

  /// Begins with nothing on its way.
  init(_ desired: DesiredState) { self.desired = desired }

  var count: Int { flights.count - landed }
  /// Health has room of its own, so that no flood of operators' changes keeps a dead backend in service.
  var isFull: Bool { count - healthCount >= Limits.entriesInFlight }
  var isFullOfHealth: Bool { healthCount >= Limits.healthEntriesInFlight }

  /// A new primary's first entry is on its way.
  mutating func appendEpoch() {
    flights.append(.epoch)
    epochCount += 1
  }

  /// An entry that nobody waits for is on its way.
  mutating func appendOther() { flights.append(.other) }

  /// Hosts' requests for ports, or returns, are on their way; they have room of their own, which `PortDesk` bounds.
  mutating func appendPorts() { flights.append(.other) }

  /// A recall is on its way.
  mutating func appendRecall(_ id: RequestID) { flights.append(.recall(id)) }

  /// A health entry is on its way.
  mutating func appendHealth() {
    flights.append(.health)
    healthCount += 1
  }

  /// An accepted operation is on its way.
  mutating func append(_ id: RequestID, _ validation: Validation) {
    desired = validation.state
    flights.append(.operation(Answer(id, validation), riders: []))
  }

  /// Lets a request wait for the last operation on its way; false when there is none.
  mutating func ride(_ rider: Answer) -> Bool {
    for index in flights.indices.dropFirst(landed).reversed() {
      guard case .operation(let answer, let riders) = flights[index] else { continue }
      flights[index] = .operation(answer, riders: riders + [rider])
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
      if case .recall(let id) = flight { return [id] }
      guard case .operation(let answer, let riders) = flight else { return [] }
      return [answer.id] + riders.map(\.id)
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
