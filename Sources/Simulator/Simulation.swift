/// One life of a simulated data centre: the product's own replicas, stages, managers and nodes in one thread, from
/// one seed.
public struct Simulation: Sendable {
  /// What came of a life.
  public struct Verdict: Sendable {
    /// Of the life.
    public var seed: UInt64
    /// What must never happen and did, if anything.
    public var finding: Finding?
    /// What happened.
    public var counts: Counts
    /// Of all that happened, in order: the same for the same seed.
    public var digest: UInt64
    /// How long the life was, in simulated time.
    public var milliseconds: Int
    /// The last events before the end, if they were asked for.
    public var trace: [String]
  }

  /// From which everything follows.
  public var seed: UInt64
  /// A mistake that is put in on purpose.
  public var bug: Bug?
  /// What goes wrong, and how often.
  public var rates: FaultRates

  /// Describes a life.
  public init(seed: UInt64, bug: Bug? = nil, rates: FaultRates = .all) {
    self.seed = seed
    self.bug = bug
    self.rates = rates
  }

  /// Lives it.
  ///
  /// - Parameter keepsTrace: whether the last events are wanted as text; it is slower.
  /// - Returns: what came of it.
  public func run(keepsTrace: Bool = false) -> Verdict {
    var world = World(seed: seed, bug: bug, rates: rates, keepsTrace: keepsTrace)
    world.run()
    return Verdict(
      seed: seed, finding: world.finding, counts: world.counts, digest: world.trace.digest,
      milliseconds: world.time / .milliseconds(1), trace: world.trace.text)
  }
}
