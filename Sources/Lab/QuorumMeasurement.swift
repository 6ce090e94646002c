import Control
import Foundation

/// What operators and traffic see while one manager after the other dies.
public struct QuorumMeasurement: Codable, Hashable, Sendable {
  /// Voters at the beginning.
  public var voters = 0
  /// Those that claimed to lead.
  public var leaders: [String] = []
  /// From the kill of the leader to the end of an `apply` begun after it, in milliseconds; nil: it failed.
  public var recoveryMilliseconds: Double?
  /// How many managers were dead when a change was still acknowledged.
  public var survivedDeaths = 0
  /// How many were dead when one was not.
  public var fatalDeaths = 0
  /// What `ananta-ctl` said then.
  public var refusal = ""
  /// Its exit status.
  public var refusalStatus: Int32 = 0
  /// From the start of the dead ones until every node ran a change and every manager had it; nil: too long.
  public var returnMilliseconds: Double?
  /// Connections made while no agent and no manager could reach another.
  public var attemptedAlone = 0
  /// Those that failed.
  public var failedAlone = 0

  /// Kills managers until nothing can be changed, starts them again, then cuts all of them off.
  ///
  /// `victim` is the first to die and leads then: a MUX, which traffic does not miss.
  public static func take(in lab: inout Lab, scene: Scene) async throws(LabError) -> Self {
    var measured = QuorumMeasurement()
    measured.voters = try await lab.managers().count(where: \.voter)
    measured.leaders = await lab.leaders()
    let majority = measured.voters / 2 + 1
    let victims = try await victims(in: lab, scene: scene, count: measured.voters - majority + 1)
    for (index, victim) in victims.enumerated() {
      let killed = MonotonicTime.now
      try await lab.kill(victim)
      let isFatal = index == victims.count - 1
      let result = try await change("death-\(index)", in: lab, within: isFatal ? "3s" : "10s").run()
      if index == 0, result.succeeded {
        measured.recoveryMilliseconds = MonotonicTime.milliseconds(from: killed, to: MonotonicTime.now)
      }
      if result.succeeded { measured.survivedDeaths = index + 1 }
      if isFatal, !result.succeeded {
        measured.fatalDeaths = index + 1
        measured.refusal = result.errors.split(separator: "\n").last.map(String.init) ?? ""
        measured.refusalStatus = result.status
      }
    }
    let start = MonotonicTime.now
    for victim in victims { try await lab.start(victim) }
    if try await Convergence(lab: lab).complaint() == nil {
      measured.returnMilliseconds = MonotonicTime.milliseconds(from: start, to: MonotonicTime.now)
    }
    try await lab.awaitRoutes()
    try await lab.awaitHealth()
    try await cutAllOff(lab, scene, into: &measured)
    return measured
  }

  /// The leader first, made to be a MUX if it is none, then hosts, the last first.
  private static func victims(in lab: Lab, scene: Scene, count: Int) async throws(LabError) -> [String] {
    let names = lab.topology.machines(with: .manager).map(\.node.name)
    if names.contains(scene.victim), await lab.leader() != scene.victim {
      try await lab.control(["managers", "transfer", scene.victim]).check()
    }
    guard let first = await lab.leader() else { throw LabError(.timeout, "No manager leads.") }
    let rest = names.filter { $0 != first && !scene.muxes.contains($0) }.reversed()
    return Array(([first] + rest).prefix(count))
  }

  private static func change(_ name: String, in lab: Lab, within limit: String) throws(LabError)
    -> ExternalCommand
  {
    var apply = try lab.control(["apply", "-f", "-", "--timeout", limit])
    apply.input = "kind: VirtualNetwork\nmetadata: {name: \(name)}\nspec: {prefixes: [10.0.0.0/24]}\n"
    return apply
  }

  private static func cutAllOff(
    _ lab: Lab, _ scene: Scene, into measured: inout QuorumMeasurement
  ) async throws(LabError) {
    let machines = lab.topology.machines(with: .manager)
    func apply(_ rules: String) async throws(LabError) {
      for machine in machines {
        let namespace = try lab.namespace(of: machine.node.name)
        try await ExternalCommand(["nft", "-f", "-"], input: rules).inside(namespace).check()
      }
    }
    try await apply(NetworkCut.totalDeafness)
    // Longer than agents and managers take to give one another up.
    try? await Task.sleep(for: .seconds(3))
    let load = ConnectLoad(address: scene.web.vip, port: scene.web.endpoint.port, count: 500)
    let report = try await lab.connect(from: scene.client.name, load)
    measured.attemptedAlone = report.attempted
    measured.failedAlone = report.failed
    try await apply(NetworkCut.heal)
  }

  /// What is claimed of it.
  var claims: [DemoReport.Claim] {
    func text(_ milliseconds: Double?) -> String {
      milliseconds.map { "after \(Int($0.rounded())) ms" } ?? "never"
    }
    return [
      .init(
        claim: "Five managers have a vote, and one leads",
        measured: "\(voters) voters, leader \(leaders.joined(separator: ", "))",
        ok: voters == 5 && leaders.count == 1),
      .init(
        claim: "A change succeeds within 2 s of the leader's death (kill -9)",
        measured: text(recoveryMilliseconds), ok: recoveryMilliseconds.map { $0 <= 2_000 } ?? false),
      .init(
        claim: "With two managers dead changes go on", measured: "with \(survivedDeaths) dead",
        ok: survivedDeaths == 2),
      .init(
        claim: "With three dead nothing can be changed", measured: "status \(refusalStatus): \(refusal)",
        ok: fatalDeaths == 3 && [2, 3].contains(refusalStatus)),
      .init(
        claim: "Back again, every manager and node has everything", measured: text(returnMilliseconds),
        ok: returnMilliseconds != nil),
      .init(
        claim: "Traffic goes on while no manager can be reached",
        measured: "\(attemptedAlone - failedAlone) of \(attemptedAlone) new connections",
        ok: attemptedAlone > 0 && failedAlone == 0),
    ]
  }
}
