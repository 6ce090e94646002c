public import Control

/// What a manager's log holds: all that changes its state, in the order in which it does.
public enum Entry: Codable, Hashable, Sendable {
  /// An operator's, validated before it was appended.
  case operation(Operation)
  /// Reported by the host of the VMs.
  case health([HealthChange], node: String)
  /// A new primary has taken over.
  case epochBegan(Epoch)
}

/// An entry that is durable, with its place in the log.
public struct CommittedEntry: Codable, Hashable, Sendable {
  /// Its place: entries are numbered without gaps.
  public var revision: Revision
  /// What it says.
  public var entry: Entry

  /// Joins the two.
  public init(revision: Revision, entry: Entry) {
    self.revision = revision
    self.entry = entry
  }
}
