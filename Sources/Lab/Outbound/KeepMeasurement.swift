import Control
import Wire

/// Many connections of one VM at once: whether all come about, what ports they take, and what is seen outside.
public struct KeepMeasurement: Codable, Hashable, Sendable {
  /// What the VM saw.
  public var report = OutboundReport()
  /// Servers that got them.
  public var remotes = 0
  /// The most ports that had connections.
  public var portsInUse = 0
  /// The most connections that the VM's host counted at once.
  public var counted = 0
  /// The most ports that were leased to the VM.
  public var allocated = 0
  /// Requests to the manager.
  public var requests = 0
  /// Packets with a VM's address as source on the uplink of its host.
  public var leakedAtHost = 0
  /// The same anywhere at the router.
  public var leakedAtRouter = 0
  /// SYNs with the VIP as source, on the uplink and at the router: what was to be seen.
  public var seenAtHost = 0
  /// The same at the router, where each is seen coming and going.
  public var seenAtRouter = 0

  /// As few ports as will do: each has one connection to each remote, and ranges are given out whole.
  public var bound: Int {
    let ports = (report.open + max(remotes, 1) - 1) / max(remotes, 1)
    return (ports + PortRange.portCount - 1) / PortRange.portCount * PortRange.portCount
  }

  /// Opens so many connections to all servers and keeps them open.
  public static func take(in lab: Lab, scene: OutboundScene, connections: Int) async throws(LabError) -> Self
  {
    var measured = KeepMeasurement()
    measured.remotes = scene.sites.count
    let before = try await lab.settledPorts(of: scene.busy)
    let inside = scene.inside.map { "src net \($0)" }.joined(separator: " or ")
    let leaked = "ip and (\(inside))"
    let seen = "src host \(scene.service.vip) and tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn"
    let filter = "(\(leaked)) or (\(seen))"
    let atHost = try await Capture.start(
      in: lab, on: scene.host(of: scene.busy, in: lab), device: Fabric.uplink, filter: filter, snapLength: 64)
    let atRouter = try await Capture.start(
      in: lab, on: lab.topology.router.name, device: "any", filter: filter, snapLength: 64)
    let load = OutboundLoad(
      targets: scene.targets, count: connections, concurrency: 100, timeoutMilliseconds: 15_000,
      // So long that all processes hold theirs at one time, and the host says so.
      keepSeconds: connections > Limits.heldConnections ? 15 : 5)
    let watching = Task { () -> (inUse: Int, allocated: Int, counted: Int) in
      var most = (inUse: 0, allocated: 0, counted: 0)
      while !Task.isCancelled {
        if let now = try? await lab.ports().first(where: { $0.vm == scene.busy }) {
          most = (
            max(most.inUse, now.inUse ?? 0), max(most.allocated, now.allocated),
            max(most.counted, now.connections ?? 0)
          )
        }
        try? await Task.sleep(for: .milliseconds(500))
      }
      return most
    }
    let making = Task { try await lab.reach(from: scene.busy, load) }
    let made = await making.result
    watching.cancel()
    let most = await watching.value
    try await atHost.stop()
    try await atRouter.stop()
    measured.report = try await BackendStopMeasurement.value(of: Task { try made.get() })
    let after = try await lab.settledPorts(of: scene.busy)
    measured.portsInUse = max(most.inUse, after.inUse ?? 0)
    measured.counted = most.counted
    measured.allocated = max(most.allocated, after.allocated)
    measured.requests = (after.requests ?? 0) - (before.requests ?? 0)
    measured.leakedAtHost = try await atHost.count(leaked)
    measured.leakedAtRouter = try await atRouter.count(leaked)
    measured.seenAtHost = try await atHost.count(seen)
    measured.seenAtRouter = try await atRouter.count(seen)
    return measured
  }

  /// The measurement as text.
  public var text: String {
    let rate = Int(Double(report.connected) / max(report.seconds, 0.001))
    return """
      \(report.attempted) connections to \(remotes) servers:   \(report.failed) failed, \(report.open) open at once (the host counted \(counted)), \(report.answered) answered a request then; \(rate) per second
        ports: \(portsInUse) in use, \(allocated) leased; \(bound) would do; \(requests) requests
        handshakes: \(report.handshakes.text)
        packets with a VM's address outside: \(leakedAtHost) at the host, \(leakedAtRouter) at the router; SYNs with the VIP's: \(seenAtHost), \(seenAtRouter)

      """ + report.reasons.prefix(3).map { "  failed: \($0)\n" }.joined()
  }
}
