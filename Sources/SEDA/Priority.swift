/// The queues of a stage, from the most to the least pressing (Ananta §4: several priority queues for each stage).
public enum Priority: Int, CaseIterable, Hashable, Sendable {
  /// Traffic suffers until this is done.
  case high
  /// Somebody waits for the answer.
  case normal
  /// Nobody waits.
  case low

  /// The priority as logs and metrics say it.
  public var name: String {
    switch self {
    case .high: "high"
    case .normal: "normal"
    case .low: "low"
    }
  }
}
