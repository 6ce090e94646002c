import Control
import Foundation
import Wire

/// Shows on real traffic what Ananta claims, in a lab of its own.
public struct Demo: Sendable {
  private let plan: LabPlan
  private let progress: @Sendable (String) -> Void

  /// How many connections the spread is taken from.
  public static let connections = 10_000

  /// How many connections a VM holds to the internet.
  public static let outboundConnections = 5_000

  /// Will build the plan's lab; `progress` is told each step before it is taken.
  public init(plan: LabPlan, progress: @escaping @Sendable (String) -> Void) {
    self.plan = plan
    self.progress = progress
  }

  /// Builds the lab, measures, removes the lab; also when a measurement fails or the task is cancelled.
  public func run() async throws(LabError) -> DemoReport {
    let began = MonotonicTime.now
    let scene = try Scene(plan.topology)
    progress("Building a data centre of network namespaces")
    let lab = try await Lab.up(plan) { progress("  \($0)") }
    var report = DemoReport(lab: plan.name)
    var failure: LabError?
    do {
      try await measure(lab, scene, into: &report)
    } catch {
      failure = error
    }
    progress("Removing the data centre")
    let name = plan.name
    let removal = await Task { _ = try await Lab.down(name) }.result
    if let failure {
      report.claims.append(
        .init(claim: "The demo comes to its end", measured: failure.description, ok: false))
    }
    if case .failure(let error) = removal { throw LabError(.command, "\(error)") }
    report.passed = !report.claims.contains { $0.ok == false }
    report.seconds = MonotonicTime.milliseconds(from: began, to: MonotonicTime.now) / 1000
    return report
  }

  private func measure(_ standing: Lab, _ scene: Scene, into report: inout DemoReport) async throws(LabError)
  {
    var lab = standing
    progress("Asking every service who serves it")
    report.claims += try await greetings(lab, scene)
    try proceed()
    progress("\(Demo.connections) connections to \(scene.web.target)")
    let spread = try await SpreadMeasurement.take(in: lab, scene: scene, connections: Demo.connections)
    report.claims += spreadClaims(spread, scene)
    try proceed()
    progress("Capturing packets at every MUX and host")
    let bypass = try await BypassMeasurement.take(in: lab, scene: scene, connections: 200)
    report.claims.append(bypassClaim(bypass))
    try proceed()
    if scene.bulk != nil {
      progress("Bulk data by three ways (iperf3)")
      let throughput = try await ThroughputMeasurement.take(in: lab, scene: scene, seconds: 3)
      report.claims += throughputClaims(throughput)
      try proceed()
    }
    if let outbound = scene.outbound {
      progress("\(Demo.outboundConnections) connections of \(outbound.busy) to the internet")
      report.claims += try await OutboundClaims.take(in: lab, scene: outbound)
      try proceed()
    }
    progress("Stopping the web server of \(scene.web.backends.last ?? "") while connections are made")
    let stop = try await BackendStopMeasurement.take(in: &lab, scene: scene)
    report.claims += stopClaims(stop)
    try proceed()
    progress("Killing \(scene.victim) (kill -9) while connections are open and new ones are made")
    let kill = try await MuxKillMeasurement.take(in: lab, scene: scene)
    report.claims += killClaims(kill)
    try proceed()
    progress("Starting \(scene.victim) again")
    let start = MonotonicTime.now
    try await lab.start(scene.victim)
    try await lab.awaitRoutes()
    let back = MonotonicTime.milliseconds(from: start, to: MonotonicTime.now)
    report.claims.append(.init(claim: "The MUX comes back", measured: "after \(text(back)) ms", ok: true))
    guard lab.topology.machines(with: .manager).count == 5 else { return }
    try proceed()
    progress("Killing managers (kill -9), the leader first, while changes are made")
    report.claims += try await QuorumMeasurement.take(in: &lab, scene: scene).claims
  }

  private func proceed() throws(LabError) {
    guard !Task.isCancelled else { throw LabError(.command, "The demo was interrupted; the lab is removed.") }
  }

  // MARK: Claims

  private func greetings(_ lab: Lab, _ scene: Scene) async throws(LabError) -> [DemoReport.Claim] {
    var claims: [DemoReport.Claim] = []
    for offer in lab.topology.offers {
      for (endpoint, server) in zip(offer.service.endpoints, offer.servers) {
        let backends = endpoint.backends.map(\.machine)
        let vip = offer.service.vip
        let target = "\(vip):\(endpoint.port)"
        switch server {
        case .http:
          let counts = try await curl(lab, scene, "http://\(target)/", times: 30)
          claims.append(
            greeting("curl http://\(target)/ reaches every VM of \(offer.service.name)", counts, backends, 30)
          )
        case .udp:
          let load = DatagramLoad(address: vip, port: endpoint.port, count: 60)
          let answer = try await lab.ask(from: scene.client.name, load)
          let counts = answer.shares.map { ($0.backend, $0.count) }
          claims.append(
            greeting("UDP to \(target) reaches every VM of \(offer.service.name)", counts, backends, 60))
        case .iperf3, nil: continue
        }
      }
    }
    return claims
  }

  /// One curl, many connections: without `Connection: close` it would use one again.
  private func curl(
    _ lab: Lab, _ scene: Scene, _ url: String, times: Int
  ) async throws(LabError) -> [(String, Int)] {
    let words =
      ["curl", "--silent", "--show-error", "--max-time", "10", "--header", "Connection: close"]
      + Array(repeating: url, count: times)
    let result = try await lab.command(in: scene.client.name, words).run()
    let names = result.output.split(separator: "\n").map(String.init)
    return Set(names).sorted().map { name in (name, names.filter { $0 == name }.count) }
  }

  private func greeting(
    _ claim: String, _ counts: [(String, Int)], _ backends: [String], _ times: Int
  ) -> DemoReport.Claim {
    let total = counts.map(\.1).reduce(0, +)
    let measured = counts.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
    return .init(
      claim: claim, measured: "\(total) of \(times): \(measured.isEmpty ? "nobody" : measured)",
      ok: total == times && counts.map(\.0) == backends.sorted())
  }

  private func spreadClaims(_ spread: SpreadMeasurement, _ scene: Scene) -> [DemoReport.Claim] {
    let report = spread.report
    let shares = spread.shares(of: scene.muxes)
    let fair = 1 / Double(scene.muxes.count)
    let why = report.failures.first.map { ": \($0.reason)" } ?? ""
    let deviation = spread.worstDeviation(of: scene.web.backends)
    let crossing = spread.replies(by: scene.muxes)
    let direct = spread.replies(by: scene.hosts.map(\.node.name))
    let rate = Double(report.succeeded) / max(report.seconds, 0.001)
    return [
      .init(
        claim: "Of \(report.attempted) connections none fails",
        measured: "\(report.failed) failed\(why); \(text(rate)) per second", ok: report.failed == 0),
      .init(
        claim: "Each MUX carries \(percent(0.8 * fair)) to \(percent(1.2 * fair)) of them",
        measured: shares.map { "\($0.node) \(percent($0.share))" }.joined(separator: ", "),
        ok: shares.count == scene.muxes.count && shares.allSatisfy { abs($0.share - fair) <= 0.2 * fair }),
      .init(
        claim: "Each VM gets its share within 10 %",
        measured: report.shares.map { "\($0.backend) \($0.count)" }.joined(separator: ", "),
        ok: deviation <= 0.1),
      .init(
        claim: "No reply crosses a MUX, counted at the router",
        measured: "\(crossing) by MUXes, \(direct) straight from hosts", ok: crossing == 0 && direct > 0),
    ]
  }

  private func bypassClaim(_ bypass: BypassMeasurement) -> DemoReport.Claim {
    func sum(_ sights: [BypassMeasurement.Sight], _ value: (BypassMeasurement.Sight) -> Int) -> Int {
      sights.map(value).reduce(0, +)
    }
    let atMuxes = sum(bypass.muxes, \.replies)
    let atHosts = sum(bypass.hosts, \.replies)
    let requests = sum(bypass.muxes, \.requests)
    let carried = sum(bypass.hosts, \.encapsulated)
    return .init(
      claim: "tcpdump sees requests at MUXes, replies only at hosts",
      measured:
        "MUXes \(requests) requests, \(atMuxes) replies; hosts \(carried) in IPIP, \(atHosts) replies",
      ok: atMuxes == 0 && atHosts > 0 && requests > 0 && carried > 0)
  }

  private func throughputClaims(_ throughput: ThroughputMeasurement) -> [DemoReport.Claim] {
    func row(_ claim: String, _ run: ThroughputMeasurement.Run, ok: Bool?) -> DemoReport.Claim {
      let rate = (run.gigabitsPerSecond * 100).rounded() / 100
      return .init(claim: claim, measured: "\(rate) Gbit/s, \(run.retransmits) retransmits", ok: ok)
    }
    let vip = throughput.throughVIP
    return [
      row("Bulk data flows through the VIP to a VM", vip, ok: vip.gigabitsPerSecond > 0),
      row("  beside it: plain routing to a host", throughput.routed, ok: nil),
      row("  beside it: nftables DNAT to a host", throughput.destinationNAT, ok: nil),
    ]
  }

  private func stopClaims(_ stop: BackendStopMeasurement) -> [DemoReport.Claim] {
    let isInTime = stop.lastConnectionMilliseconds <= stop.allowedMilliseconds && stop.attemptsAfterwards > 0
    let why = stop.lastReason.map { " (\($0))" } ?? ""
    return [
      .init(
        claim: "A dead server gets no connection after \(text(stop.allowedMilliseconds)) ms",
        measured:
          "the last after \(text(stop.lastConnectionMilliseconds)) ms\(why), \(stop.report.failed) failed",
        ok: isInTime),
      .init(
        claim: "It gets connections again once it is back",
        measured: stop.returnMilliseconds.map { "after \(text($0)) ms" } ?? "not within 10 s",
        ok: stop.returnMilliseconds != nil),
    ]
  }

  private func killClaims(_ kill: MuxKillMeasurement) -> [DemoReport.Claim] {
    let why = kill.failures.first.map { ": \($0.reason)" } ?? ""
    let succeeded = kill.attempted - kill.failures.count
    return [
      .init(
        claim: "The router drops a killed MUX within 1 s",
        measured: kill.routerMilliseconds.map { "after \(text($0)) ms" } ?? "not within 10 s",
        ok: kill.routerMilliseconds.map { $0 <= 1_000 } ?? false),
      .init(
        claim: "Connections by way of the other MUX go on",
        measured: "\(kill.heldElsewhere - kill.brokenElsewhere) of \(kill.heldElsewhere)",
        ok: kill.heldElsewhere > 0 && kill.brokenElsewhere == 0),
      .init(
        claim: "  beside it: those by way of the killed MUX",
        measured:
          "\(kill.heldThere - kill.brokenThere) of \(kill.heldThere) go on, by the other; \(kill.caughtInFlight) short ones lost",
        ok: nil),
      .init(
        claim: "New connections succeed meanwhile",
        measured: "\(succeeded) of \(kill.attempted)\(why)", ok: kill.failures.isEmpty && kill.attempted > 0),
    ]
  }

  private func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
  private func text(_ number: Double) -> String { String(Int(number.rounded())) }
}
