/// What an operator may do.
public enum OperatorRole: String, Codable, Hashable, Sendable, CaseIterable {
  /// Look at everything, change nothing.
  case readOnly = "read-only"
  /// Everything.
  case admin
}

/// Who is at the other end of a connection, as its certificate says.
public enum Identity: Codable, Hashable, Sendable {
  /// Nobody knows: the connection is plain text, and whoever has it may do everything.
  case anonymous
  /// The agent of a node, with the roles that its certificate allows.
  case node(String, roles: [Role])
  /// A person, or a program that acts for one.
  case `operator`(String, OperatorRole)

  /// The name under which a change is kept.
  public var name: String {
    switch self {
    case .anonymous: "anonymous"
    case .node(let name, _): "node \(name)"
    case .operator(let name, _): name
    }
  }
}

/// Who changed something, and when.
public struct Author: Codable, Hashable, Sendable {
  /// `Identity.name` of who asked for it.
  public var name: String
  /// Milliseconds since 1970 on the clock of the manager that took it.
  public var at: UInt64

  /// Joins the two.
  public init(name: String, at: UInt64) {
    self.name = name
    self.at = at
  }
}

/// One change of the data centre's configuration, as it is kept for whoever asks later.
public struct AuditRecord: Codable, Hashable, Sendable {
  /// One resource of a change.
  public struct Item: Codable, Hashable, Sendable {
    /// Which resource.
    public var key: ResourceKey
    /// What became of it.
    public var action: Change.Action

    /// Joins the two.
    public init(key: ResourceKey, action: Change.Action) {
      self.key = key
      self.action = action
    }
  }
  /// The entry that made it.
  public var revision: Revision
  /// Who, and when.
  public var author: Author
  /// What was done beside resources: a manager added, leadership transferred; empty for a change of resources.
  public var note: String
  /// The first `Limits.itemsPerAuditRecord` resources that were really changed.
  public var items: [Item]
  /// How many were changed in all.
  public var count: Int

  /// Describes a change.
  public init(revision: Revision, author: Author, note: String = "", items: [Item] = [], count: Int = 0) {
    self.revision = revision
    self.author = author
    self.note = note
    self.items = items
    self.count = count
  }
}
