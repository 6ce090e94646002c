import Control
import Wire

/// What new connections see of a backend whose server stops.
public struct BackendStopMeasurement: Codable, Hashable, Sendable {
  /// The VM.
  public var backend: String
  /// From the stop to the last new connection that was sent there, in milliseconds.
  public var lastConnectionMilliseconds: Double
  /// What the probe allows: interval × threshold + 1 s.
  public var allowedMilliseconds: Double
  /// What the client saw.
  public var report: ConnectReport
  /// New connections that were begun after the allowed time.
  public var attemptsAfterwards: Int
  /// From the server's new start to the first connection that it served, in milliseconds; nil: none within 10 s.
  public var returnMilliseconds: Double?

  /// Stops the servers of the last backend while new connections are made, and starts them again.
  public static func take(in lab: inout Lab, scene: Scene) async throws(LabError) -> Self {
    guard let probe = scene.web.endpoint.probe, let backend = scene.web.backends.last else {
      throw LabError(.topology, "The endpoint of the web servers needs a probe and a backend.")
    }
    let allowed = probe.intervalMilliseconds * probe.threshold + 1_000
    let pace = 200
    let before = 1_000
    let load = ConnectLoad(
      address: scene.web.vip, port: scene.web.endpoint.port,
      count: pace * (before + allowed + 2_000) / 1_000, concurrency: 400, perSecond: pace)
    let standing = lab
    let client = scene.client.name
    let running = Task { try await standing.connect(from: client, load) }
    try? await Task.sleep(for: .milliseconds(before))
    let stop = MonotonicTime.now
    try await lab.stopServers(of: backend)
    let report = try await Self.value(of: running)
    let served = report.shares.filter { $0.backend == backend }.map(\.lastBegan)
    let last = (served + report.failures.map(\.began)).filter { $0 > stop }.max()
    let end = stop + UInt64(allowed) * 1_000_000
    let afterwards = report.began + UInt64(load.count) * 1_000_000_000 / UInt64(pace)
    let start = MonotonicTime.now
    try await lab.startServers(of: backend)
    let back = try await awaitReturn(of: backend, in: lab, scene: scene)
    return BackendStopMeasurement(
      backend: backend,
      lastConnectionMilliseconds: last.map { MonotonicTime.milliseconds(from: stop, to: $0) } ?? 0,
      allowedMilliseconds: Double(allowed), report: report,
      attemptsAfterwards: afterwards > end ? Int((afterwards - end) * UInt64(pace) / 1_000_000_000) : 0,
      returnMilliseconds: back.map { MonotonicTime.milliseconds(from: start, to: $0) })
  }

  private static func awaitReturn(
    of backend: String, in lab: Lab, scene: Scene
  ) async throws(LabError) -> UInt64? {
    var found: UInt64?
    let load = ConnectLoad(address: scene.web.vip, port: scene.web.endpoint.port, count: 20)
    try await Patience.wait(upTo: 10_000) { () async throws(LabError) in
      let report = try await lab.connect(from: scene.client.name, load)
      if report.count(of: backend) > 0 { found = MonotonicTime.now }
      return found != nil
    }
    return found
  }

  /// The result of a task whose error type the compiler has forgotten.
  static func value<Value: Sendable>(of task: Task<Value, any Error>) async throws(LabError) -> Value {
    do {
      return try await task.value
    } catch let error as LabError {
      throw error
    } catch {
      throw LabError(.command, "\(error)")
    }
  }
}

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
  /// New connections, made before, during and after.
  public var newConnections: ConnectReport
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
    let holding = Task { try await lab.hold(from: client, hold) }
    try? await Task.sleep(for: .milliseconds(2_000))
    let ways = try await lab.muxes(of: hold.localPorts, scene: scene)
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
    let there = zip(report.connections, ways).filter { $1 == scene.victim }.map(\.0)
    let elsewhere = zip(report.connections, ways).filter { $1 != scene.victim }.map(\.0)
    // A connection that was not up when the MUX was killed says nothing.
    func isBroken(_ connection: HoldReport.Connection) -> Bool {
      connection.broke != nil || connection.firstReply == 0 || connection.firstReply > killed
    }
    return MuxKillMeasurement(
      mux: scene.victim, routerMilliseconds: noticed.map { MonotonicTime.milliseconds(from: killed, to: $0) },
      heldElsewhere: elsewhere.count, brokenElsewhere: elsewhere.filter(isBroken).count,
      heldThere: there.count, brokenThere: there.filter(isBroken).count,
      longestGapMilliseconds: report.connections.map(\.longestGapMilliseconds).max() ?? 0,
      newConnections: made, reasons: Array(report.connections.compactMap(\.reason).prefix(5)))
  }
}

extension Lab {
  /// The MUX that the router chooses for each of a client's ports; the corresponding call is `ip route get`.
  func muxes(of ports: [UInt16], scene: Scene) async throws(LabError) -> [String] {
    let router = try namespace(of: topology.router.name)
    let device = Fabric.routerDevice(towards: scene.client.name)
    let lines = ports.map { port in
      "route get \(scene.web.vip) from \(scene.client.link.address) iif \(device) ipproto tcp sport \(port) "
        + "dport \(scene.web.endpoint.port)\n"
    }
    let text = try await ExternalCommand(["ip", "-n", router, "-batch", "-"], input: lines.joined()).check()
    let muxes = topology.machines(with: .mux)
    return text.split(separator: "\n").filter { $0.contains(" via ") }.map { line in
      let words = line.split(separator: " ")
      let gateway = words.firstIndex(of: "via").map { words[$0 + 1] } ?? ""
      return muxes.first { $0.node.address.description == gateway }?.node.name ?? ""
    }
  }
}
