public import Control

/// Names a question, so that its answer finds the one who asked; given by whoever asks.
public struct RequestID: Hashable, Comparable, Sendable {
  /// Never given twice.
  public let number: UInt64

  /// Wraps the number.
  public init(_ number: UInt64) { self.number = number }

  /// Orders by number.
  public static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}

/// What happens to a manager.
public enum Input: Hashable, Sendable {
  /// The log takes this replica's entries from now on.
  case becamePrimary(Epoch)
  /// The log takes another's.
  case lostPrimary(address: String?)
  /// An operator wants a change, or wants to know what it would be.
  case request(RequestID, Operation, dryRun: Bool, by: Author)
  /// Entries are durable; in order, none left out.
  case committed([CommittedEntry])
  /// A state that others have come to, in place of this follower's.
  case installed(ManagerState)
  /// An agent has opened a stream.
  case connected(Hello, SessionID)
  /// A stream has ended.
  case disconnected(SessionID)
  /// An agent says something.
  case report(Report, SessionID)
  /// An operator wants to follow a revision.
  case wait(RequestID, Revision)
  /// The operator has gone.
  case endWait(RequestID)
  /// So many milliseconds have passed since some moment, and since 1970 by the clock on the wall; given about
  /// every second.
  case tick(milliseconds: UInt64, wallMilliseconds: UInt64 = 0)
  /// 128 bits, drawn at random, as an output has asked for.
  case drawn(low: UInt64, high: UInt64)
  /// Something was done that is to be found in the audit records.
  case note(String, by: Author)
  /// An operator wants leased ports back.
  case recall(RequestID, PortRecall, by: Author)
}

/// How much an event matters.
public enum Severity: String, Hashable, Sendable {
  /// Things go their way.
  case info
  /// Somebody should look.
  case warning
}

/// What a manager wants done, in this order.
public enum Output: Hashable, Sendable {
  /// Make it durable.
  case append(Entry)
  /// Draw 128 bits for a new key.
  case draw
  /// The answer to a request.
  case reply(RequestID, Outcome)
  /// The request, or the wait, could not be taken or carried out.
  case fail(RequestID, ManagementError)
  /// The stream is accepted.
  case accept(SessionID)
  /// The stream is refused, for this reason.
  case refuse(SessionID, ManagementError)
  /// The agent is to have this.
  case send(Update, SessionID)
  /// The agent is to know that a VM of its gets no ports for now.
  case refusePorts(PortRefusal, SessionID)
  /// So many ranges were recalled, as was asked.
  case recalled(RequestID, Int)
  /// The stream is to end after all that was sent before, for this reason.
  case close(SessionID, String)
  /// How far a revision has come.
  case progress(RequestID, WaitProgress)
  /// The wait is over.
  case endWait(RequestID)
  /// A sentence for the log that an operator reads.
  case event(Severity, String)
}
