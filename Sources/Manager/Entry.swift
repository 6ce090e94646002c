public import Control

/// What a manager's log holds: all that changes its state, in the order in which it does.
public enum Entry: Codable, Hashable, Sendable {
  /// An operator's, validated before it was appended.
  case operation(Operation, by: Author)
  /// Reported by the host of the VMs.
  case health([HealthChange], node: String)
  /// A new primary has taken over; again from the same when it has to prove that it still is.
  case epochBegan(Epoch)
  /// The keys of datagrams go on by one; 128 bits, drawn at random by the primary.
  case keysRotated(low: UInt64, high: UInt64, at: UInt64)
  /// Something was done that is no change of resources, and is to be found in the audit records.
  case note(String, by: Author)
  /// Hosts ask for ports for their VMs; by the primary's clock on the wall, milliseconds since 1970.
  case portsRequested([PortRequest], at: UInt64)
  /// Hosts have stopped using these.
  case portsReturned([PortReturn])
  /// A host has carried out all removals of VMs up to a revision: what they had is free.
  case portsReleased(node: String, upTo: Revision)
  /// An operator wants ports back.
  case portsRecalled(PortRecall, by: Author)
  /// All MUXes know what was leased up to a revision, so that hosts may have it.
  case portsRipe(upTo: Revision)

  /// Whether it concerns only those nodes that have something to do for it.
  var isOfPorts: Bool {
    switch self {
    case .portsRequested, .portsReturned, .portsReleased, .portsRecalled, .portsRipe: true
    case .operation, .health, .epochBegan, .keysRotated, .note: false
    }
  }
}

/// A range that its host has stopped using.
public struct PortReturn: Codable, Hashable, Sendable {
  /// The range, and whose it was.
  public var lease: PortLease
  /// The entry that leased it: a later lease of the same range to the same VM is not meant.
  public var granted: Revision

  /// Joins the two.
  public init(_ lease: PortLease, granted: Revision) {
    self.lease = lease
    self.granted = granted
  }
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
