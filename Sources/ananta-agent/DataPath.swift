internal import Control

/// A role that carries packets: takes the node's state and runs it.
protocol DataPath: Sendable {
  /// Brings the data path to the state; true when every worker runs it.
  ///
  /// What cannot be done becomes a sentence of `statistics`, is tried again by `repair`, and does not keep the rest
  /// from running. A VM whose namespace is missing is no failure of the node: its backends are reported unhealthy.
  func adopt(_ state: NodeState) async -> Bool

  /// Tries again what failed, and mends what others have changed; called every second. True when the state that
  /// was adopted last runs.
  func repair() async -> Bool

  /// What the role counts and has to say.
  func statistics() async -> NodeStatistics

  /// Stops taking new work, waits until the network knows, then stops.
  func drain() async
}
