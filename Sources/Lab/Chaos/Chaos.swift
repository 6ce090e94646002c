import Control
import Foundation

/// Kills, stops and cuts off managers while clients work, and judges what the clients saw.
public struct Chaos: Sendable {
  /// What is done, and who works meanwhile.
  public struct Settings: Sendable {
    /// Decides what is done.
    public var seed: UInt64
    /// How many rounds.
    public var rounds: Int
    /// Processes that work.
    public var processes = 2
    /// Clients in each process.
    public var clients = 4
    /// Registers that they share.
    public var registers = 5
    /// Where the history is left if something was found; nil: nowhere.
    public var evidence: String?

    /// Rounds of a seed; the rest may be changed.
    public init(seed: UInt64, rounds: Int) {
      self.seed = seed
      self.rounds = rounds
    }
  }

  private let plan: LabPlan
  private let settings: Settings
  private let progress: @Sendable (String) -> Void

  /// Will build the plan's lab; `progress` is told now and then how far it has come.
  public init(plan: LabPlan, settings: Settings, progress: @escaping @Sendable (String) -> Void) {
    self.plan = plan
    self.settings = settings
    self.progress = progress
  }

  /// Builds the lab, plays all rounds, judges, and removes the lab whatever happened.
  public func run() async throws(LabError) -> ChaosReport {
    guard plan.topology.machines(with: .manager).count >= 3, let client = plan.topology.clients.first else {
      throw LabError(.topology, "Chaos needs a client and at least three managers; small.yaml has them.")
    }
    let lab = try await Lab.up(plan) { progress("  \($0)") }
    let result: Result<ChaosReport, LabError>
    do {
      result = .success(try await play(in: lab, from: client.name))
    } catch {
      result = .failure(error)
    }
    let name = plan.name
    await Task { _ = try? await Lab.down(name) }.value
    return try result.get()
  }

  private func play(in lab: Lab, from client: String) async throws(LabError) -> ChaosReport {
    let crew = try await RegisterCrew.start(
      in: lab, from: client, processes: settings.processes, clients: settings.clients,
      registers: settings.registers)
    try await crew.awaitWork()
    let managers = lab.topology.machines(with: .manager).count
    let rounds = ChaosPlan(seed: settings.seed, rounds: settings.rounds, managers: managers).rounds
    var field = ChaosField(lab, sightings: crew.sightings)
    var report = ChaosReport(seed: settings.seed, rounds: rounds.count)
    let began = MonotonicTime.now
    do {
      for (number, round) in rounds.enumerated() {
        try await field.play(round)
        try crew.check()
        for node in try await field.deserters() {
          report.findings.append("the agent of \(node) ended by itself in round \(number + 1)")
        }
        if (number + 1).isMultiple(of: 25) { progress("round \(number + 1) of \(rounds.count)") }
      }
      try await field.heal()
      report.seconds = MonotonicTime.milliseconds(from: began, to: MonotonicTime.now) / 1000
      report.faults = field.counts
      try await conclude(field, crew, into: &report)
    } catch {
      // What the clients saw until then may say why.
      try? keep(crew.files, of: lab)
      throw error
    }
    if !report.passed { try keep(crew.files, of: lab) }
    return report
  }

  /// Waits until all is well again, then judges.
  private func conclude(
    _ field: ChaosField, _ crew: RegisterCrew, into report: inout ChaosReport
  ) async throws(LabError) {
    try await crew.stop()
    progress("waiting until every manager and node has everything")
    let complaint = try await Convergence(lab: field.lab).complaint()
    if let complaint { report.findings.append("not converged: \(complaint)") }
    try await crew.readFinally(in: field.lab)
    let history = try crew.history()
    progress("judging \(history.count) operations")
    report.count(history, registers: settings.registers, kills: field.kills)
    report.judgeWork()
    report.contradictions = LinearizabilityChecker.findings(in: history)
    report.findings += report.contradictions.map { "register \($0.register): \($0.sentence)" }
    report.findings += try crew.leaders().sharedBallots.map { "two managers led under ballot \($0)" }
  }

  private func keep(_ files: [String], of lab: Lab) throws(LabError) {
    guard let evidence = settings.evidence else { return }
    try StateFiles.makeDirectory(evidence)
    let logs = lab.topology.machines.map { (lab.directory(of: $0.node.name) + "/log", "\($0.node.name).log") }
    for (file, name) in files.map({ ($0, String($0.split(separator: "/").last ?? "")) }) + logs {
      try? FileManager.default.removeItem(atPath: "\(evidence)/\(name)")
      try? FileManager.default.copyItem(atPath: file, toPath: "\(evidence)/\(name)")
    }
    progress("what clients saw and agents said is in \(evidence)")
  }
}
