/// Names one stream of one agent; a manager never gives the same number twice in its life.
public struct SessionID: Hashable, Comparable, Sendable {
  /// Grows with each stream.
  public let number: UInt64

  /// Wraps the number.
  public init(_ number: UInt64) { self.number = number }

  /// Orders by number.
  public static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}

/// What a manager says to an agent.
public enum ManagerMessage: Codable, Hashable, Sendable {
  /// The way to another revision, or ports that have become usable at the present one.
  case update(Update)
  /// The answer to a request for ports that got none.
  case portRefusal(PortRefusal)
}

/// A stream that a manager has accepted.
public struct AgentSession: Sendable {
  /// To be given with every report of this stream.
  public let id: SessionID
  /// What the agent is to be sent, in order; it ends when the manager ends the stream, for instance because
  /// the same node has opened a newer one.
  public let messages: AsyncStream<ManagerMessage>

  /// Describes a stream.
  public init(id: SessionID, messages: AsyncStream<ManagerMessage>) {
    self.id = id
    self.messages = messages
  }
}

/// How far a revision has come.
public struct WaitProgress: Codable, Hashable, Sendable {
  /// The revision that is waited for.
  public var revision: Revision
  /// Hosts and MUXes that run it or a newer one, sorted.
  public var acknowledged: [String]
  /// Hosts and MUXes that do not yet, sorted; empty: the wait is over.
  public var pending: [String]

  /// Describes how far it has come.
  public init(revision: Revision, acknowledged: [String], pending: [String]) {
    self.revision = revision
    self.acknowledged = acknowledged
    self.pending = pending
  }
}

/// Why a manager could not do what it was asked; a manifest that is wrong is not an error but an `Outcome`.
public enum ManagementError: Error, Hashable, Sendable {
  /// Another replica is primary; `address` says where, if it is known.
  case notPrimary(address: String?)
  /// Too much is under way; nothing has changed, and the same request may succeed after that time.
  case overloaded(reason: String, retryAfterMilliseconds: UInt32)
  /// The log could not make the entry durable; nothing has changed.
  case unavailable(reason: String)
  /// The primary was deposed while the request was under way: it may have been carried out, or still be, or
  /// never.
  case uncertain(reason: String)
  /// The request cannot be served as it is: an unknown node, other roles than the agent's, a manifest that is too
  /// large, a manager that does not exist.
  case refused(reason: String)
  /// Whoever asks may not do this.
  case forbidden(reason: String)
}

extension ManagementError: CustomStringConvertible {
  /// One sentence that says what and what to do.
  public var description: String {
    switch self {
    case .notPrimary(let address?): "this manager is not the primary; ask the one at \(address)"
    case .notPrimary(nil): "this manager is not the primary, and no primary is known; try again shortly"
    case .overloaded(let reason, let milliseconds): "\(reason); try again in \(milliseconds) ms"
    case .unavailable(let reason), .uncertain(let reason), .refused(let reason), .forbidden(let reason):
      reason
    }
  }
}

/// What a manager does for operators and agents: the transport only maps its calls onto this.
public protocol ManagementService: Sendable {
  /// Validates an operation and, unless it is a dry run or refused, makes it durable and pushes it to the
  /// nodes.
  ///
  /// Returns when the operation is durable, which is before the nodes have it: see `wait(for:)`. A dry run
  /// gives the same outcome, with the revision as it is, and changes nothing.
  func perform(_ operation: Operation, dryRun: Bool, by identity: Identity) async throws(ManagementError)
    -> Outcome

  /// The data centre as it is now: all that was acknowledged before the question is in the answer.
  func state() async throws(ManagementError) -> ClusterState

  /// Who changed what, the newest last; at most `Limits.auditRecords`.
  func auditRecords() async throws(ManagementError) -> [AuditRecord]

  /// The managers as this one knows them; also without a primary, and without a quorum.
  func managers() async -> ManagerGroup

  /// Gives or takes votes, or hands leadership over; returns when that is durable, or done.
  func change(_ change: ManagerChange, by identity: Identity) async throws(ManagementError)

  /// Calls leased ports back; returns how many ranges it was, when that is durable.
  func recall(_ recall: PortRecall, by identity: Identity) async throws(ManagementError) -> Int

  /// Follows a revision on its way to the nodes: one element at once, one for each change, and the stream
  /// ends after the element whose `pending` is empty. Letting go of the stream ends the wait.
  func wait(for revision: Revision) async throws(ManagementError) -> AsyncStream<WaitProgress>

  /// Accepts an agent's stream; its first update is a snapshot.
  func attach(_ hello: Hello) async throws(ManagementError) -> AgentSession

  /// Takes what the agent says on its stream after `hello`; ignored when the stream is no longer current.
  func report(_ report: Report, from session: SessionID) async

  /// The agent's stream has ended.
  func detach(_ session: SessionID) async
}
