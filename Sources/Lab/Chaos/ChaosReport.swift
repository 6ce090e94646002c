/// What became of a lab under chaos.
public struct ChaosReport: Codable, Hashable, Sendable {
  /// What decided what was done.
  public var seed: UInt64
  /// How often.
  public var rounds: Int
  /// How often each sort of fault was done.
  public var faults: [String: Int] = [:]
  /// From the first round to the last.
  public var seconds = 0.0
  /// Writes that were acknowledged.
  public var writes = 0
  /// Reads of all registers that were answered.
  public var reads = 0
  /// Operations that had certainly not happened.
  public var failed = 0
  /// Operations of which nobody knew.
  public var uncertain = 0
  /// Milliseconds from the kill of a leader, when nothing else was wrong, to the answer of a write begun after it.
  public var recovery = Distribution(milliseconds: [])
  /// The same whatever else was wrong.
  public var recoveryAmidFaults = Distribution(milliseconds: [])
  /// Milliseconds that acknowledged writes took.
  public var latency = Distribution(milliseconds: [])
  /// What contradicts the claims; empty: nothing.
  public var findings: [String] = []
  /// The operations around what no order explains.
  public var contradictions: [LinearizabilityChecker.Finding] = []

  /// Whether nothing was found.
  public var passed: Bool { findings.isEmpty }

  /// Takes the counts and times out of what clients saw.
  mutating func count(_ history: [RegisterOperation], registers: Int, kills: [ChaosField.LeaderKill]) {
    let writes = history.filter { $0.kind == .write && $0.outcome == .ok }
    self.writes = writes.count
    reads = history.count { $0.kind == .read && $0.outcome == .ok } / max(1, registers)
    failed = history.count { $0.kind == .write && $0.outcome == .failed }
    uncertain = history.count { $0.kind == .write && $0.outcome == .uncertain }
    latency = Distribution(
      milliseconds: writes.map { MonotonicTime.milliseconds(from: $0.invoked, to: $0.responded) })
    let ordered = writes.sorted { $0.responded < $1.responded }
    func recovery(_ kill: ChaosField.LeaderKill) -> Double? {
      ordered.first { $0.invoked >= kill.at }.map {
        MonotonicTime.milliseconds(from: kill.at, to: $0.responded)
      }
    }
    self.recovery = Distribution(milliseconds: kills.filter(\.isSolitary).compactMap(recovery))
    recoveryAmidFaults = Distribution(milliseconds: kills.compactMap(recovery))
  }

  /// Clients that got nothing done saw nothing wrong either: at least one write and one read belong to each round.
  mutating func judgeWork() {
    guard writes < rounds || reads < rounds else { return }
    findings.append("\(writes) writes and \(reads) reads in \(rounds) rounds are too few to judge by")
  }

  /// The report as text.
  public var text: String {
    let sorts = faults.sorted { $0.key < $1.key }.map { "\($0.value) × \($0.key)" }
    var lines = [
      "seed \(seed), \(rounds) rounds in \(Int(seconds)) s: \(sorts.joined(separator: ", "))",
      "\(writes) writes acknowledged, \(reads) reads of all registers; writes failed \(failed), uncertain \(uncertain)",
      "write: \(latency.text)", "leader killed, until a write succeeds: \(recovery.text)",
      "  amid other faults: \(recoveryAmidFaults.text)",
    ]
    if passed {
      lines.append("Linearizable, nothing acknowledged was lost, every node runs the newest revision.")
    }
    lines += findings.map { "FOUND: \($0)" }
    for finding in contradictions { lines += finding.around.map { "  \($0)" } }
    return lines.map { $0 + "\n" }.joined()
  }
}
