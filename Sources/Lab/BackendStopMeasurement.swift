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
  /// Why that connection failed; nil if it was served.
  public var lastReason: String?
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
      allowedMilliseconds: Double(allowed),
      lastReason: report.failures.last { $0.began == last }?.reason, report: report,
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
