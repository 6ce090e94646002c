internal import Control

/// A role that carries packets: takes what the node has been told and runs it.
protocol DataPath: Sendable {
  /// Brings the data path to the state; true when every worker runs it.
  ///
  /// What cannot be done becomes a sentence of `statistics`, is tried again by `repair`, and does not keep the rest
  /// from running. A VM whose namespace is missing is no failure of the node: its backends are reported unhealthy.
  func adopt(_ kept: KeptState) async -> Bool

  /// Changes leased ports in place, without looking at the rest.
  ///
  /// - Parameters:
  ///   - commands: about ports and nothing else.
  ///   - kept: what they have led to.
  /// - Returns: true when every worker goes by it.
  func change(_ commands: [Command], in kept: KeptState) async -> Bool

  /// The manager gives a VM no more ports for now.
  func refuse(_ refusal: PortRefusal) async

  /// There is a new stream to a manager, who may not have heard what was asked for.
  func askAgain() async

  /// Tries again what failed, and mends what others have changed; called every second. True when the state that
  /// was adopted last runs.
  func repair() async -> Bool

  /// What the role counts and has to say.
  func statistics() async -> NodeStatistics

  /// Stops taking new work, waits until the network knows, then stops.
  func drain() async
}

extension DataPath {
  /// A role without VMs asks for no ports.
  func refuse(_ refusal: PortRefusal) async {}

  /// A role without VMs asks for no ports.
  func askAgain() async {}
}
