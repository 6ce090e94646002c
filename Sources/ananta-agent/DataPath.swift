internal import Control

/// A role that carries packets: takes the node's state and runs it.
protocol DataPath: Sendable {
  /// Brings the data path to the state; returns when every worker runs it.
  ///
  /// What cannot be done (a namespace that is missing) becomes a sentence of `statistics`, is tried again by
  /// `repair`, and does not keep the rest from running.
  func adopt(_ state: NodeState) async

  /// Tries again what failed, and mends what others have changed; called every second.
  func repair() async

  /// What the role counts and has to say.
  func statistics() async -> NodeStatistics

  /// Stops taking new work, waits until the network knows, then stops.
  func drain() async
}
