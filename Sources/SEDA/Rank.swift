/// The order in which the shared pool serves the queues of all stages.
///
/// Priorities order the queues of one stage; ranks order those of all. Every queue has a rank by its policy, and a
/// lower rank waits for a higher one except for its minimum share.
public enum Rank: Int, CaseIterable, Comparable, Hashable, Sendable {
  /// What keeps packets flowing: routes withdrawn, a MUX or host that died, a VIP changed in an emergency.
  case urgent
  /// An operator's change.
  case configuration
  /// Changes in bulk, such as an import: before SNAT, after what an operator waits for.
  case bulk
  /// Requests of virtual machines that hold packets meanwhile: SNAT ranges, reports of health.
  case request
  /// Requests ahead of need, such as predicted SNAT ranges.
  case upkeep
  /// Comparisons, refreshes, listings.
  case background

  /// Whether the left rank is served before the right one.
  public static func < (left: Rank, right: Rank) -> Bool {
    left.rawValue < right.rawValue
  }
}
