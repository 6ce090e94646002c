import Control

/// What a demo claims of VMs that reach the internet.
enum OutboundClaims {
  /// Measures a small form of what `ananta-lab snat` does.
  static func take(in lab: Lab, scene: OutboundScene) async throws(LabError) -> [DemoReport.Claim] {
    var settings = FirstPacketMeasurement.Settings()
    settings.connections = 400
    settings.perSecond = 100
    settings.roundTrips = 20
    let delay = try await FirstPacketMeasurement.take(in: lab, scene: scene, settings: settings)
    let keep = try await KeepMeasurement.take(in: lab, scene: scene, connections: Demo.outboundConnections)
    return claims(keep, scene) + claims(delay)
  }

  private static func claims(_ keep: KeepMeasurement, _ scene: OutboundScene) -> [DemoReport.Claim] {
    let report = keep.report
    let why = report.reasons.first.map { ": \($0)" } ?? ""
    return [
      .init(
        claim: "A VM holds \(report.attempted) connections to \(keep.remotes) servers at once",
        measured: "\(report.failed) failed, \(report.answered) of \(report.open) answered\(why)",
        ok: report.failed == 0 && report.answered == report.attempted),
      .init(
        claim: "They take no more of \(scene.service.vip)'s ports than \(keep.bound)",
        measured: "\(keep.portsInUse) in use, \(keep.allocated) leased, \(keep.requests) requests",
        ok: keep.portsInUse > 0 && keep.portsInUse <= keep.bound),
      .init(
        claim: "No packet leaves a host with a VM's address",
        measured:
          "\(keep.leakedAtHost) at the host, \(keep.leakedAtRouter) at the router; \(keep.seenAtHost) SYNs with the VIP",
        ok: keep.leakedAtHost + keep.leakedAtRouter == 0 && keep.seenAtHost >= report.attempted),
    ]
  }

  private static func claims(_ delay: FirstPacketMeasurement) -> [DemoReport.Claim] {
    [
      .init(
        claim: "99 % of a client's connections ask no manager for a port",
        measured: "\(delay.normalRequests) requests for \(delay.normal.attempted) connections",
        ok: delay.normal.failed == 0 && delay.freeShare >= 0.99),
      .init(
        claim: "  beside it: the handshake, with a port at hand", measured: delay.local.text, ok: nil),
      .init(
        claim: "  beside it: by way of the manager", measured: delay.roundTrip.text,
        ok: delay.roundTrip.milliseconds.isEmpty ? false : nil),
    ]
  }
}
