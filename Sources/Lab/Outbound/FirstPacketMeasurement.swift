import Control

/// How long the first packet of a VM's connection takes, with ports at hand and without.
public struct FirstPacketMeasurement: Codable, Hashable, Sendable {
  /// A client that makes one connection after the other.
  public var normal = OutboundReport()
  /// How often it took a request to the manager.
  public var normalRequests = 0
  /// Handshakes with ports at hand.
  public var local = Distribution(milliseconds: [])
  /// How often a request was made meanwhile; then not all had ports at hand.
  public var localRequests = 0
  /// Handshakes of a VM that has no usable port.
  public var roundTrip = Distribution(milliseconds: [])
  /// How many requests those made.
  public var roundTripRequests = 0
  /// What failed.
  public var failures: [String] = []

  /// How much is measured.
  public struct Settings: Sendable {
    /// Connections of the normal client.
    public var connections = 1_500
    /// How many of them it makes in a second.
    public var perSecond = 50
    /// How often a VM is left without a port.
    public var roundTrips = 100

    /// The defaults.
    public init() {}
  }

  /// The share of the normal client's connections that needed no request.
  public var freeShare: Double {
    guard normal.attempted > 0 else { return 0 }
    return 1 - Double(normalRequests) / Double(normal.attempted)
  }

  /// Connects from a VM that is otherwise idle.
  public static func take(
    in lab: Lab, scene: OutboundScene, settings: Settings = Settings()
  ) async throws(LabError) -> Self {
    var measured = FirstPacketMeasurement()
    let machine = scene.steady
    let before = try await lab.settledPorts(of: machine)
    let normal = OutboundLoad(
      targets: scene.targets, count: settings.connections, concurrency: 100, perSecond: settings.perSecond)
    measured.normal = try await lab.reach(from: machine, normal)
    let between = try await lab.settledPorts(of: machine)
    measured.normalRequests = (between.requests ?? 0) - (before.requests ?? 0)
    var local = normal
    local.count = min(settings.connections, 10 * settings.perSecond)
    let again = try await lab.reach(from: machine, local)
    measured.local = again.handshakes
    let after = try await lab.settledPorts(of: machine)
    measured.localRequests = (after.requests ?? 0) - (between.requests ?? 0)
    measured.failures = measured.normal.reasons + again.reasons
    try await measured.takeRoundTrips(in: lab, scene: scene, count: settings.roundTrips)
    measured.roundTripRequests =
      (try await lab.settledPorts(of: machine).requests ?? 0) - (after.requests ?? 0)
    return measured
  }

  /// A port that was recalled is not used for a new connection, so the next one takes a request.
  private mutating func takeRoundTrips(
    in lab: Lab, scene: OutboundScene, count: Int
  ) async throws(LabError) {
    var times: [Double] = []
    for _ in 0..<count {
      try await lab.recallPorts(of: scene.steady)
      // The recall is durable now; what it took to be carried out is not to be measured.
      try? await Task.sleep(for: .milliseconds(200))
      let report = try await lab.reach(from: scene.steady, OutboundLoad(targets: scene.first, count: 1))
      times += report.handshakes.milliseconds
      failures += report.reasons
    }
    roundTrip = Distribution(milliseconds: times)
  }

  /// The measurement as text.
  public var text: String {
    let share = (freeShare * 100_00).rounded() / 100
    return """
      first packet, with ports at hand:        \(local.text); \(localRequests) requests
      first packet, by way of the manager:     \(roundTrip.text); \(roundTripRequests) requests
      a normal client, \(normal.attempted) connections:       \(share) % without a request; \(normal.handshakes.text)

      """ + failures.prefix(3).map { "  failed: \($0)\n" }.joined()
  }
}
