/// Something that must never happen, and did.
public struct Finding: Error, Hashable, Sendable {
  /// What was broken.
  public enum Rule: String, Hashable, Sendable {
    /// One entry per slot, one state per revision.
    case agreement
    /// What was acknowledged stays.
    case durability
    /// What was refused never happens.
    case refusal
    /// An answer shows all that was acknowledged before it was asked for.
    case linearizability
    /// At most one replica holds the lease.
    case lease
    /// No node carries out what an older primary says after a newer one has spoken.
    case fencing
    /// Every request is answered or shed.
    case answers
    /// A replica starts from what it left on its disk, and takes what its peers send.
    case recovery
    /// A port is one VM's, and MUXes know it before its host does.
    case ports
    /// When nothing goes wrong any more, all come to the same end.
    case convergence
  }
  /// Which rule.
  public var rule: Rule
  /// What happened, in one sentence.
  public var text: String
}

extension Finding: CustomStringConvertible {
  /// `agreement: replica 3 applies another entry in slot 17`.
  public var description: String { "\(rule.rawValue): \(text)" }
}
