import Control

/// What an operator asks a manager.
enum Call: Hashable, Sendable {
  case change(Operation)
  case dryRun(Operation)
  case state
  case wait(Revision)
  case recall(PortRecall)
  /// Lets go of a wait.
  case letGo(attempt: Int)
}

/// One attempt of one operator, and where its answer belongs.
struct Ticket: Hashable, Sendable {
  var client: Int
  /// Its number in the history; never used twice.
  var attempt: Int
  var call: Call
}

/// What a manager answers.
enum Answer: Hashable, Sendable {
  case outcome(Outcome)
  /// The data centre as it is, of which the revision says everything.
  case state(Revision)
  /// All nodes run it.
  case waited(Revision)
  /// So many ranges are called back.
  case recalled(Int)
  case failed(ManagementError)
}
