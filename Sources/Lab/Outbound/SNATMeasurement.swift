import Control

/// How VMs reach the internet: many connections, first packets, floods and deaths.
public struct SNATMeasurement: Codable, Hashable, Sendable {
  /// First packets.
  public var delay = FirstPacketMeasurement()
  /// Many connections at once.
  public var keep = KeepMeasurement()
  /// A VM beside a heavy one.
  public var crowd: CrowdMeasurement?
  /// MUXes and a leader that die.
  public var disturbance = DisturbanceMeasurement()
  /// Requests without end.
  public var flood: PortFloodMeasurement?
  /// Who had which ranges all the while.
  public var history = PortHistory()
  /// What is claimed of all that.
  public var claims: [DemoReport.Claim] = []

  /// Whether all was measured and no claim failed.
  public var passed: Bool { !claims.isEmpty && !claims.contains { $0.ok == false } }

  /// How much is measured.
  public struct Settings: Sendable {
    /// Connections of one VM at once.
    public var connections = 50_000
    /// First packets.
    public var delay = FirstPacketMeasurement.Settings()
    /// How many times its capacity is asked of the managers.
    public var excess = 10

    /// The defaults.
    public init() {}
  }

  /// Measures in a lab that stands.
  public static func take(
    in lab: inout Lab, scene: Scene, settings: Settings, progress: @Sendable (String) -> Void
  ) async throws(LabError) -> Self {
    guard let outbound = scene.outbound else {
      throw LabError(
        .topology, "SNAT needs `internet` and a service with `snat` on two hosts; small.yaml has them.")
    }
    var measured = SNATMeasurement()
    let standing = lab
    let watching = Task { await PortHistory.watch(standing) }
    defer { watching.cancel() }
    progress("first packets of \(outbound.steady)")
    measured.delay = try await FirstPacketMeasurement.take(in: lab, scene: outbound, settings: settings.delay)
    progress(measured.delay.text)
    if outbound.heavy != nil {
      progress("\(outbound.busy) beside \(outbound.heavy ?? "")")
      let crowd = try await CrowdMeasurement.take(in: lab, scene: outbound)
      measured.crowd = crowd
      progress(crowd.text)
    }
    progress("\(settings.connections) connections of \(outbound.busy)")
    measured.keep = try await KeepMeasurement.take(
      in: lab, scene: outbound, connections: settings.connections)
    progress(measured.keep.text)
    progress("\(scene.victim) and the leader killed")
    measured.disturbance = try await DisturbanceMeasurement.take(in: &lab, scene: scene, outbound: outbound)
    progress(measured.disturbance.text)
    progress("a flood of requests for ports")
    measured.flood = try await PortFloodMeasurement.take(in: lab, excess: settings.excess)
    watching.cancel()
    measured.history = await watching.value
    measured.claims = OutboundClaims.claims(measured, outbound, excess: settings.excess)
    return measured
  }

  /// The measurement as text.
  public var text: String {
    delay.text + keep.text + (crowd?.text ?? "") + disturbance.text + (flood?.text ?? "") + history.text
      + "\n" + DemoReport.table(claims)
  }
}
