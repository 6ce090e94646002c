import Foundation
import Wire

extension Lab {
  /// Makes short connections from a member's namespace.
  public func connect(from member: String, _ load: ConnectLoad) async throws(LabError) -> ConnectReport {
    let pace = load.perSecond > 0 ? load.count / load.perSecond : load.count / 200
    return try await traffic(
      from: member,
      [
        "connect", "--to", "\(load.address):\(load.port)", "--count", "\(load.count)",
        "--concurrency", "\(load.concurrency)", "--per-second", "\(load.perSecond)",
        "--timeout", "\(load.timeoutMilliseconds)",
      ], seconds: pace + load.timeoutMilliseconds / 1000 + 30)
  }

  /// Holds connections from a member's namespace.
  public func hold(from member: String, _ load: HoldLoad) async throws(LabError) -> HoldReport {
    try await traffic(
      from: member,
      [
        "hold", "--to", "\(load.address):\(load.port)", "--count", "\(load.count)",
        "--seconds", "\(load.seconds)", "--interval", "\(load.intervalMilliseconds)",
        "--first-port", "\(load.firstLocalPort)", "--patience", "\(load.patienceMilliseconds)",
      ], seconds: load.seconds + 30)
  }

  /// Asks a UDP service from a member's namespace.
  public func ask(from member: String, _ load: DatagramLoad) async throws(LabError) -> ConnectReport {
    try await traffic(
      from: member, ["ask", "--to", "\(load.address):\(load.port)", "--count", "\(load.count)"],
      seconds: load.count * load.timeoutMilliseconds / 1000 + 30)
  }

  /// Makes traffic from a member's namespace, and reads the report.
  func traffic<Report: Decodable>(
    from member: String, _ words: [String], prefix: [String] = [], seconds: Int
  ) async throws(LabError) -> Report {
    let command = try command(
      in: member, prefix + [record.programs.lab, "traffic"] + words, seconds: seconds)
    let text = try await command.check()
    do {
      return try JSONDecoder().decode(Report.self, from: Data(text.utf8))
    } catch {
      throw LabError(.command, "`\(words.joined(separator: " "))` answered what is no report: \(error).")
    }
  }
}
