import Control

/// What is claimed of VMs that reach the internet; what was not measured does not hold.
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

  /// What `ananta-lab snat` claims.
  static func claims(
    _ measured: SNATMeasurement, _ scene: OutboundScene, excess: Int
  ) -> [DemoReport.Claim] {
    claims(measured.delay) + claims(measured.keep, scene) + (measured.crowd.map(claims) ?? [])
      + claims(measured.disturbance) + claims(measured.flood ?? PortFloodMeasurement(), excess: excess)
      + claims(measured.history)
  }

  private static func claims(_ keep: KeepMeasurement, _ scene: OutboundScene) -> [DemoReport.Claim] {
    let report = keep.report
    let why = report.reasons.first.map { ": \($0)" } ?? ""
    return [
      .init(
        claim: "A VM holds \(report.attempted) connections to \(keep.remotes) servers at once",
        measured: "\(report.failed) failed, \(report.answered) of \(report.open) answered\(why)",
        ok: report.attempted > 0 && report.failed == 0 && report.answered == report.attempted),
      .init(
        claim: "They take no more of \(scene.service.vip)'s ports than \(keep.bound)",
        measured: "\(keep.portsInUse) in use, \(keep.allocated) leased, \(keep.requests) requests",
        ok: keep.portsInUse > 0 && keep.portsInUse <= keep.bound),
      .init(
        claim: "No packet leaves a host with a VM's address",
        measured:
          "\(keep.leakedAtHost) at the host, \(keep.leakedAtRouter) at the router; \(keep.seenAtHost) SYNs with the VIP",
        ok: keep.leakedAtHost + keep.leakedAtRouter == 0 && keep.seenAtHost > 0
          && keep.seenAtHost >= report.attempted),
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

  private static func claims(_ crowd: CrowdMeasurement) -> [DemoReport.Claim] {
    let hasAll = crowd.heavyCap > 0 && crowd.heavyPorts >= crowd.heavyCap
    let (client, beside) = (crowd.besideClient, crowd.beside)
    let (base, slow) = (client.quantile(0.99), beside.quantile(0.99))
    return [
      .init(
        claim: "Beside a VM that has used all its ports none of another's connections fails",
        measured:
          "\(crowd.failed) failed; \(crowd.heavyPorts) of \(crowd.heavyCap) ports used, \(crowd.heavy.failed) got none",
        ok: hasAll && crowd.failed == 0 && !beside.milliseconds.isEmpty),
      .init(
        claim: "99 % of their handshakes take at most half as long again as beside its client alone",
        measured: "\(text(base)) beside the client, \(text(slow)) beside the VM",
        ok: base.flatMap { base in slow.map { $0 <= 1.5 * base } } ?? false),
    ]
  }

  private static func claims(_ seen: DisturbanceMeasurement) -> [DemoReport.Claim] {
    let why = (seen.reasons + seen.fresh.reasons).first.map { ": \($0)" } ?? ""
    return [
      .init(
        claim: "A MUX dies, and the leader: connections to the internet go on",
        measured:
          "\(seen.broken) of \(seen.held) broke, silent for \(Int(seen.longestGapMilliseconds)) ms at most",
        ok: seen.held > 0 && seen.broken == 0 && !seen.mux.isEmpty && !seen.leader.isEmpty),
      .init(
        claim: "New ones that need ports when nobody leads succeed",
        measured: "\(seen.fresh.failed) of \(seen.fresh.attempted) failed, \(seen.requests) requests\(why)",
        ok: seen.fresh.attempted > 0 && seen.fresh.failed == 0 && seen.requests > 0),
    ]
  }

  private static func claims(_ flood: PortFloodMeasurement, excess: Int) -> [DemoReport.Claim] {
    let times = (flood.multiple * 10).rounded() / 10
    // What the command said last, without the command.
    let failure = flood.failure?.split(separator: "Error: ").last.map(String.init)
    return [
      .init(
        claim: "Managers are asked for ports \(excess) times as often as they can answer",
        measured: "\(times) times, \(Int(flood.flood.perSecond(flood.flood.sent))) requests a second",
        ok: flood.multiple >= Double(excess)),
      .init(
        claim: "Changes made beside that take at most twice as long",
        measured: failure ?? "\(median(flood.unloaded)) alone, \(median(flood.loaded)) beside it",
        ok: flood.failure == nil && isAtMostTwice(flood.loaded, flood.unloaded)),
    ]
  }

  private static func claims(_ history: PortHistory) -> [DemoReport.Claim] {
    [
      .init(
        claim: "No range is two VMs', and MUXes send each to the VM that has it",
        measured: history.verdict,
        ok: history.samples > history.failures && history.compared > 0
          && history.shared.isEmpty && history.misdirected.isEmpty),
      .init(
        claim: "Leased, orphaned and free ports of a VIP are all that it has",
        measured: history.lost.first ?? "\(history.sums) times",
        ok: history.sums > 0 && history.lost.isEmpty),
    ]
  }

  private static func text(_ time: Double?) -> String { time.map(Distribution.text) ?? "none" }

  private static func median(_ times: Distribution) -> String { text(times.median) }

  /// Compares medians: a few slow ones are the machine's.
  private static func isAtMostTwice(_ times: Distribution, _ base: Distribution) -> Bool {
    guard let time = times.median, let least = base.median else { return false }
    return time <= 2 * least
  }
}
