import Control
import Wire

/// What connections see of a MUX that is killed.
public struct MuxKillMeasurement: Codable, Hashable, Sendable {
  /// The MUX.
  public var mux: String
  /// From the kill until the router's kernel sent nothing to it any more, in milliseconds; nil: not within 10 s.
  public var routerMilliseconds: Double?
  /// Connections that were open by way of other MUXes.
  public var heldElsewhere: Int
  /// Those of them that broke.
  public var brokenElsewhere: Int
  /// Connections that were open by way of the killed MUX.
  public var heldThere: Int
  /// Those of them that broke.
  public var brokenThere: Int
  /// The longest silence on a connection that held, in milliseconds.
  public var longestGapMilliseconds: Double
  /// New connections that were begun after the kill.
  public var attempted: Int
  /// Those of them that failed.
  public var failures: [ConnectReport.Failure]
  /// Short connections that were begun before the kill and failed: they were on their way through the killed MUX.
  public var caughtInFlight: Int
  /// Why connections broke, the first few.
  public var reasons: [String]

  /// Kills the scene's victim while connections are open and new ones are made; leaves it dead.
  public static func take(in lab: Lab, scene: Scene, held: Int = 100) async throws(LabError) -> Self {
    let vip = scene.web.vip
    let port = scene.web.endpoint.port
    let client = scene.client.name
    let hold = HoldLoad(address: vip, port: port, count: held, seconds: 12)
    let fresh = ConnectLoad(
      address: vip, port: port, count: 700, concurrency: 400, perSecond: 100, timeoutMilliseconds: 8_000)
    let paths = try await RouterPaths.start(in: lab, vip: vip, port: port)
    let holding = Task { try await lab.hold(from: client, hold) }
    try? await Task.sleep(for: .milliseconds(2_000))
    let ways = try await paths.read()
    try await paths.stop()
    let making = Task { try await lab.connect(from: client, fresh) }
    try? await Task.sleep(for: .milliseconds(1_000))
    let killed = MonotonicTime.now
    try await lab.kill(scene.victim)
    var noticed: UInt64?
    try await Patience.wait(upTo: 10_000) { () async throws(LabError) in
      let carriers = try await lab.muxes(carrying: vip.description)
      if !carriers.contains(scene.victim) { noticed = MonotonicTime.now }
      return noticed != nil
    }
    let report = try await BackendStopMeasurement.value(of: holding)
    let made = try await BackendStopMeasurement.value(of: making)
    let there = report.connections.filter { ways[$0.localPort]?.contains(scene.victim) == true }
    let elsewhere = report.connections.filter { ways[$0.localPort]?.contains(scene.victim) == false }
    // A connection that should have been up long before the kill and was not counts as broken.
    func isBroken(_ connection: HoldReport.Connection) -> Bool {
      connection.broke != nil || connection.firstReply == 0 || connection.firstReply > killed
    }
    // On a busy machine the load may begin after the kill.
    let before =
      made.began < killed ? Int((killed - made.began) * UInt64(fresh.perSecond) / 1_000_000_000) + 1 : 0
    return MuxKillMeasurement(
      mux: scene.victim, routerMilliseconds: noticed.map { MonotonicTime.milliseconds(from: killed, to: $0) },
      heldElsewhere: elsewhere.count, brokenElsewhere: elsewhere.filter(isBroken).count,
      heldThere: there.count, brokenThere: there.filter(isBroken).count,
      longestGapMilliseconds: report.connections.map(\.longestGapMilliseconds).max() ?? 0,
      attempted: made.attempted - before,
      failures: made.failures.filter { $0.began >= killed },
      caughtInFlight: made.failures.filter { $0.began < killed }.count,
      reasons: Array(report.connections.compactMap(\.reason).prefix(5)))
  }
}
