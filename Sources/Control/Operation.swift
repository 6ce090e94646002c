/// What an operator asks for that changes the desired state; carried out whole or not at all.
public enum Operation: Codable, Hashable, Sendable {
  /// Create what is new, replace what is there.
  case apply([Resource])
  /// Remove; a resource that another one names cannot be removed alone.
  case delete([ResourceKey])
}

/// What becomes of one resource.
public struct Change: Codable, Hashable, Sendable {
  /// Of what sort the change is.
  public enum Action: String, Codable, Hashable, Sendable {
    case created, configured, unchanged, deleted
  }
  /// Which resource.
  public var key: ResourceKey
  /// Of what sort.
  public var action: Action
  /// As it was; nil when created.
  public var before: Resource?
  /// As it will be; nil when deleted.
  public var after: Resource?

  /// Describes a change.
  public init(key: ResourceKey, action: Action, before: Resource?, after: Resource?) {
    self.key = key
    self.action = action
    self.before = before
    self.after = after
  }
}

/// Something about one place of one resource: an error refuses the operation, a warning does not.
public struct Finding: Codable, Hashable, Sendable {
  /// The resource.
  public var key: ResourceKey
  /// The place within the document: `spec.endpoints[0].backends[1].vm`.
  public var path: String
  /// One sentence: what is wrong and what would be right.
  public var reason: String

  /// Describes a finding.
  public init(key: ResourceKey, path: String, reason: String) {
    self.key = key
    self.path = path
    self.reason = reason
  }
}

/// The manager's answer to an operation.
public struct Outcome: Codable, Hashable, Sendable {
  /// The state that includes the operation; on refusal the state as it is.
  public var revision: Revision
  /// In the order of the request; empty on refusal.
  public var changes: [Change]
  /// True of the accepted, too.
  public var warnings: [Finding]
  /// Not empty: the operation was refused and nothing has changed.
  public var errors: [Finding]

  /// Describes an outcome.
  public init(revision: Revision, changes: [Change], warnings: [Finding], errors: [Finding]) {
    self.revision = revision
    self.changes = changes
    self.warnings = warnings
    self.errors = errors
  }
}
