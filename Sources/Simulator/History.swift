import Control
import Manager

/// What operators asked and were answered, judged by the log: the clients' history must be that of one data centre
/// that does one thing after the other (linearizability; Herlihy and Wing, 1990).
///
/// Each answer names a revision, which is its place in the one order there may be: the check is that this order
/// fits what clients saw before and after. An attempt without an answer may have had its effect, or have it later.
struct History: Sendable {
  private enum Fate: Sendable {
    /// Not answered yet, or never.
    case open
    /// May be in the log.
    case uncertain
    /// Is in the log, at this revision.
    case acknowledged(Revision)
    /// Must never be in the log.
    case refused
    /// An answer that changed nothing.
    case told
  }

  private struct Record: Sendable {
    var call: Call
    /// All that was answered to anybody before this was asked.
    var floor: Revision
    var fate = Fate.open
    /// Where the log has it.
    var entry: Revision?
  }

  private var records: [Record] = []
  /// The newest revision that any answer has shown.
  private(set) var newest = Revision(0)

  /// Nobody has asked anything yet.
  var isEmpty: Bool { records.isEmpty }

  /// Somebody asks; returns the attempt's number.
  mutating func ask(_ call: Call) -> Int {
    records.append(Record(call: call, floor: newest))
    return records.count - 1
  }

  /// The log holds what an attempt asked for.
  mutating func applied(_ attempt: Int, at revision: Revision) throws(Finding) {
    guard records.indices.contains(attempt) else {
      throw Finding(rule: .refusal, text: "revision \(revision.number) holds what nobody has asked for")
    }
    if let earlier = records[attempt].entry {
      throw Finding(
        rule: .refusal,
        text: "attempt \(attempt) is applied twice, in revisions \(earlier.number) and \(revision.number)")
    }
    records[attempt].entry = revision
    switch records[attempt].fate {
    case .open, .uncertain: break
    case .refused, .told:
      throw Finding(
        rule: .refusal, text: "attempt \(attempt) was refused, and is applied in revision \(revision.number)")
    case .acknowledged(let other):
      throw Finding(
        rule: .durability,
        text: "attempt \(attempt) was acknowledged in revision \(other.number), and applied in another")
    }
  }

  /// An answer reaches the one who asked.
  ///
  /// - Returns: what it counts as.
  mutating func answered(_ attempt: Int, _ answer: Answer) throws(Finding) -> Occurrence {
    switch answer {
    case .outcome(let outcome): return try take(outcome, of: attempt)
    case .state(let revision):
      try show(revision, to: attempt)
      records[attempt].fate = .told
      return .readsAnswered
    case .recalled:
      records[attempt].fate = .told
      return .recallsAnswered
    case .waited:
      records[attempt].fate = .told
      return .waitsEnded
    case .failed(.uncertain):
      records[attempt].fate = .uncertain
      return .writesUncertain
    case .failed:
      try refuse(attempt)
      return .requestsRefused
    }
  }

  private mutating func take(_ outcome: Outcome, of attempt: Int) throws(Finding) -> Occurrence {
    guard outcome.errors.isEmpty else {
      try show(outcome.revision, to: attempt)
      try refuse(attempt)
      return .validationRefused
    }
    let changes = outcome.changes.contains { $0.action != .unchanged }
    guard case .change = records[attempt].call, changes else {
      // Nothing was to be done, or it was only a question: an answer like that to a read.
      try show(outcome.revision, to: attempt)
      try refuse(attempt)
      return .readsAnswered
    }
    guard records[attempt].entry == outcome.revision else {
      let place = records[attempt].entry.map { "is in revision \($0.number)" } ?? "is not in the log"
      throw Finding(
        rule: .durability,
        text: "attempt \(attempt) is acknowledged with revision \(outcome.revision.number), and \(place)")
    }
    guard outcome.revision > records[attempt].floor else {
      throw Finding(
        rule: .linearizability,
        text:
          "attempt \(attempt) is put into revision \(outcome.revision.number), before what was known when "
          + "it was asked, \(records[attempt].floor.number)")
    }
    records[attempt].fate = .acknowledged(outcome.revision)
    newest = max(newest, outcome.revision)
    return .writesAcknowledged
  }

  private mutating func show(_ revision: Revision, to attempt: Int) throws(Finding) {
    guard revision >= records[attempt].floor else {
      throw Finding(
        rule: .linearizability,
        text:
          "attempt \(attempt) is answered from revision \(revision.number), and \(records[attempt].floor.number)"
          + " was known when it was asked")
    }
    newest = max(newest, revision)
  }

  private mutating func refuse(_ attempt: Int) throws(Finding) {
    records[attempt].fate = .refused
    if let revision = records[attempt].entry {
      throw Finding(
        rule: .refusal, text: "attempt \(attempt) is refused, and applied in revision \(revision.number)")
    }
  }
}
