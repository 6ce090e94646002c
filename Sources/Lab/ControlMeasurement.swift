import Control
import Foundation

/// How fast the control plane is, when all is well, when its leader dies, and under too much work.
public struct ControlMeasurement: Codable, Hashable, Sendable {
  /// What an operator sees while others flood the managers.
  public struct Overload: Codable, Hashable, Sendable {
    /// `apply --wait` without the flood.
    public var unloaded: Distribution
    /// `apply --wait` beside it.
    public var loaded: Distribution
    /// Requests of low priority per second that the managers carry out when nothing else is asked of them.
    public var capacity: Double
    /// What became of the flood.
    public var flood: FloodReport
  }

  /// From `apply` to its acknowledgement.
  public var commit = Distribution(milliseconds: [])
  /// From `apply --wait` to its end.
  public var wait = Distribution(milliseconds: [])
  /// From the kill of the leader to the answer of a write begun after it.
  public var recovery = Distribution(milliseconds: [])
  /// Beside a flood.
  public var overload: Overload?

  /// How often each is measured.
  public struct Settings: Sendable {
    /// Changes that are timed.
    public var applies = 500
    /// Leaders that are killed.
    public var kills = 20
    /// How much is asked beyond what can be carried out.
    public var excess = 10

    /// The defaults.
    public init() {}
  }

  /// Measures in a lab that stands.
  public static func take(
    in lab: Lab, settings: Settings, progress: @Sendable (String) -> Void
  ) async throws(LabError) -> Self {
    var measured = ControlMeasurement()
    progress("\(settings.applies) applies, one after the other")
    _ = try await applies(in: lab, count: 50)
    measured.commit = try await applies(in: lab, count: settings.applies)
    progress("\(settings.applies) applies, each until every node has it")
    measured.wait = try await applies(in: lab, count: settings.applies, isWaiting: true)
    progress("a flood of work of low priority")
    measured.overload = try await overload(in: lab, settings: settings)
    progress("\(settings.kills) leaders killed")
    measured.recovery = try await recovery(in: lab, kills: settings.kills)
    return measured
  }

  /// Changes, one after the other, each timed.
  static func applies(
    in lab: Lab, count: Int, isWaiting: Bool = false, pause: Int = 0
  ) async throws(LabError) -> Distribution {
    let words = ["applies", "--count", "\(count)", "--pause", "\(pause)"] + (isWaiting ? ["--wait"] : [])
    return try await lab.operate(words, seconds: 300)
  }

  private static func overload(in lab: Lab, settings: Settings) async throws(LabError) -> Overload {
    let unloaded = try await applies(in: lab, count: 100, isWaiting: true, pause: 20)
    let alone = try await flood(in: lab, clients: 4, perSecond: 0, seconds: 5)
    let capacity = Double(alone.answered) / max(alone.seconds, 0.001)
    let rate = Int(capacity) * settings.excess
    let seconds = 15
    let flooding = Task { try await flood(in: lab, clients: 128, perSecond: rate, seconds: seconds) }
    try? await Task.sleep(for: .seconds(2))
    let loaded = try await applies(in: lab, count: 100, isWaiting: true, pause: 20)
    let report = try await BackendStopMeasurement.value(of: flooding)
    return Overload(unloaded: unloaded, loaded: loaded, capacity: capacity, flood: report)
  }

  /// The flood's clients yield to the managers, which are other machines elsewhere.
  ///
  /// `nice` alone orders only the processes of one session where the kernel groups them so (`sched(7)`, autogroup);
  /// so it is the flood's whole session that yields.
  static let yielding = [
    "setsid", "--wait", "sh", "-c",
    "echo 19 2>/dev/null >/proc/self/autogroup; exec nice -n 19 \"$@\"", "flood",
  ]

  private static func flood(
    in lab: Lab, clients: Int, perSecond: Int, seconds: Int
  ) async throws(LabError) -> FloodReport {
    let words = [
      "flood", "--clients", "\(clients)", "--per-second", "\(perSecond)", "--seconds", "\(seconds)",
    ]
    return try await lab.operate(words, prefix: yielding, seconds: seconds + 60)
  }

  private static func recovery(in lab: Lab, kills: Int) async throws(LabError) -> Distribution {
    guard let client = lab.topology.clients.first else { return Distribution(milliseconds: []) }
    let crew = try await RegisterCrew.start(
      in: lab, from: client.name, processes: 1, clients: 4, registers: 2)
    try await crew.awaitWork()
    var field = ChaosField(lab, sightings: crew.sightings)
    let event = ChaosPlan.Event(fault: .kill([.leader]), after: 0, lasts: 2_000)
    for _ in 0..<kills { try await field.play(ChaosPlan.Round(events: [event], rest: 2_000)) }
    try await crew.stop()
    try await crew.readFinally(in: field.lab)
    var report = ChaosReport(seed: 0, rounds: kills)
    report.count(try crew.history(), registers: 2, kills: field.kills)
    return report.recovery
  }

  /// The measurement as text.
  public var text: String {
    var lines = [
      "apply, until it is durable:             \(commit.text)",
      "apply --wait, until every node runs it: \(wait.text)",
      "leader killed, until a write succeeds:  \(recovery.text)",
    ]
    if let overload {
      let flood = overload.flood
      let per = { (count: Int) in Int(Double(count) / max(flood.seconds, 0.001)) }
      lines += [
        "flood of low priority, per second: \(Int(overload.capacity)) are the capacity; \(per(flood.offered)) offered, "
          + "\(per(flood.answered)) carried out, \(per(flood.shed)) shed, \(per(flood.failed)) failed",
        "  apply --wait without it: \(overload.unloaded.text)",
        "  apply --wait beside it:  \(overload.loaded.text)",
      ]
      if !flood.reason.isEmpty { lines.append("  failed: \(flood.reason)") }
    }
    return lines.map { $0 + "\n" }.joined()
  }
}

extension Lab {
  /// Works as operators do, from the first client's namespace, and reports.
  func operate<Report: Decodable>(
    _ words: [String], prefix: [String] = [], seconds: Int
  ) async throws(LabError) -> Report {
    guard let client = topology.clients.first else {
      throw LabError(.topology, "Operators need a client to work from.")
    }
    let command = try command(in: client.name, prefix + operateWords(words), seconds: seconds)
    let text = try await command.check()
    do {
      return try JSONDecoder().decode(Report.self, from: Data(text.utf8))
    } catch {
      throw LabError(.command, "`\(words.joined(separator: " "))` answered what is no report: \(error).")
    }
  }
}
