import Foundation
import Glibc

/// A process that the lab started; its start time tells it from a later process of the same number.
public struct RecordedProcess: Codable, Hashable, Sendable {
  /// What the process is for.
  public enum Duty: String, Codable, Hashable, Sendable {
    case agent, router, server, measurement
  }
  /// The node or VM it belongs to.
  public var member: String
  /// What it is for.
  public var duty: Duty
  /// Tells several processes of one member apart: `zebra`, `http-8080`.
  public var label: String
  /// The process number.
  public var pid: Int32
  /// In clock ticks since boot, as `/proc/PID/stat` says it.
  public var startTime: UInt64

  /// Whether the very process is alive; a zombie is not.
  public var isRunning: Bool { Self.startTime(of: pid) == startTime }

  /// Sends a signal if the very process is alive.
  public func signal(_ number: Int32) {
    guard isRunning else { return }
    _ = kill(pid, number)
  }

  /// When a living process was started; nil for none and for a zombie without other threads.
  static func startTime(of pid: Int32) -> UInt64? {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let parenthesis = text.lastIndex(of: ")")
    else { return nil }
    // After the name come state (field 3), threads (field 20) and start time (field 22); see proc(5).
    let fields = text[text.index(after: parenthesis)...].split(separator: " ")
    guard fields.count > 19, let threads = Int(fields[17]) else { return nil }
    // A killed process whose other threads are still in a system call holds its files and locks until they return.
    let isGone = fields[0] == "X" || (fields[0] == "Z" && threads <= 1)
    return isGone ? nil : UInt64(fields[19])
  }
}

/// A program that goes on after the lab's own process has ended.
struct Daemon {
  /// The node or VM it belongs to.
  var member: String
  /// What it is for.
  var duty: RecordedProcess.Duty
  /// Tells several of one member apart.
  var label: String
  /// The namespace it runs in.
  var namespace: String
  /// The program and its arguments.
  var words: [String]
  /// The directory it starts in.
  var directory: String
  /// The file its output is appended to.
  var log: String

  /// Starts it in a session of its own, so that an operator's Ctrl-C does not reach it.
  ///
  /// `setsid` and `nsenter` replace themselves, so the shell's `$!` is the daemon's own number. Not `ip netns
  /// exec`, which gives every command mounts of its own: what an agent pins in a bpffs is to outlive the
  /// agent.
  func start() async throws(LabError) -> RecordedProcess {
    let script = """
      cd "$1" || exit 1; log=$2; shift 2; setsid "$@" >>"$log" 2>&1 </dev/null & echo $!
      """
    let command = ExternalCommand(
      ["sh", "-c", script, "sh", directory, log, "nsenter", "--net=\(Namespaces.directory)/\(namespace)"]
        + words)
    let text = try await command.check().trimmingCharacters(in: .whitespacesAndNewlines)
    guard let pid = Int32(text), let startTime = RecordedProcess.startTime(of: pid) else {
      throw LabError(.command, "\(label) of \(member) ended at once; \(log) says why.")
    }
    return RecordedProcess(member: member, duty: duty, label: label, pid: pid, startTime: startTime)
  }
}
