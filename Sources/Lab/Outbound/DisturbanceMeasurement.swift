import Control

/// What open connections of a VM to the internet see of MUXes and a leader that die.
public struct DisturbanceMeasurement: Codable, Hashable, Sendable {
  /// Connections that were open all the time, with a request every 100 ms.
  public var held = 0
  /// Those that broke.
  public var broken = 0
  /// Why, the first few.
  public var reasons: [String] = []
  /// The longest silence on one of them, in milliseconds.
  public var longestGapMilliseconds = 0.0
  /// The MUX that was killed and started again.
  public var mux = ""
  /// The node whose manager led and was killed.
  public var leader = ""
  /// New connections of another VM without a port at hand, begun at once when the leader was dead.
  public var fresh = OutboundReport()
  /// Requests for ports that this VM had made when the leader was killed.
  public var requestsBefore = 0
  /// Requests that it had made at the end.
  public var requestsAfter = 0

  /// Those that the new connections took: the first finds nobody who leads.
  public var requests: Int { requestsAfter - requestsBefore }

  /// Kills the scene's victim and starts it again, then kills the leader, which is made to be another MUX.
  public static func take(
    in lab: inout Lab, scene: Scene, outbound: OutboundScene, held: Int = 100, seconds: Int = 40
  ) async throws(LabError) -> Self {
    var measured = DisturbanceMeasurement()
    measured.held = held
    measured.mux = scene.victim
    if let other = scene.muxes.first(where: { $0 != scene.victim }), await lab.leader() != other {
      try await lab.control(["managers", "transfer", other]).check()
    }
    let standing = lab
    let target = outbound.sites[0].web
    let hold = HoldLoad(address: target.address, port: target.port, count: held, seconds: seconds)
    let holding = Task { try await standing.hold(from: outbound.steady, hold) }
    try? await Task.sleep(for: .seconds(3))
    try await lab.kill(scene.victim)
    try? await Task.sleep(for: .seconds(4))
    try await lab.start(scene.victim)
    try await lab.awaitRoutes()
    try? await Task.sleep(for: .seconds(2))
    measured.leader = await lab.leader() ?? ""
    // What it asked for earlier, it does not ask for again; so it has to give that back first.
    try await lab.recallPorts(of: outbound.busy)
    measured.requestsBefore = try await lab.settledPorts(of: outbound.busy).requests ?? 0
    if !measured.leader.isEmpty { try await lab.kill(measured.leader) }
    let load = OutboundLoad(
      targets: outbound.second, count: 600, concurrency: 300, perSecond: 100, timeoutMilliseconds: 15_000,
      keepSeconds: 0)
    let making = Task { try await standing.reach(from: outbound.busy, load) }
    if !measured.leader.isEmpty {
      try? await Task.sleep(for: .seconds(4))
      try await lab.start(measured.leader)
      try await lab.awaitRoutes()
    }
    measured.fresh = try await BackendStopMeasurement.value(of: making)
    let report = try await BackendStopMeasurement.value(of: holding)
    measured.requestsAfter = try await lab.settledPorts(of: outbound.busy).requests ?? 0
    // A connection that never was up counts as broken.
    let broken = report.connections.filter { $0.broke != nil || $0.firstReply == 0 }
    measured.broken = broken.count
    measured.reasons = Array(broken.compactMap(\.reason).prefix(3))
    measured.longestGapMilliseconds = report.connections.map(\.longestGapMilliseconds).max() ?? 0
    return measured
  }

  /// The measurement as text.
  public var text: String {
    """
    \(mux) killed and back, then \(leader), which led:
      \(broken) of \(held) open connections broke; the longest silence was \(Int(longestGapMilliseconds)) ms
      \(fresh.failed) of \(fresh.attempted) new ones, begun when \(leader) was dead, failed; handshakes \(fresh.handshakes.text)
      requests for ports until \(leader) was killed: \(requestsBefore), and until the end: \(requestsAfter)

    """ + (reasons + fresh.reasons).prefix(3).map { "  failed: \($0)\n" }.joined()
  }
}
