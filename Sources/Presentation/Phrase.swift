import Control
import Foundation
import Manifest
import Wire

/// Single facts, in the words in which every table and description says them.
enum Phrase {
  static func connection(_ status: NodeStatus) -> String { status.isConnected ? "connected" : "disconnected" }

  /// `14`, or `12 of 14` for a node that is behind.
  static func revision(_ status: NodeStatus, of state: ClusterState) -> String {
    // A node without a data path is sent nothing.
    guard status.node.roles != [.manager] else { return "" }
    let (own, newest) = (status.revision.number, state.revision.number)
    return own == newest ? "\(own)" : "\(own) of \(newest)"
  }

  static func problems(_ status: NodeStatus) -> String {
    guard let problems = status.statistics?.problems, !problems.isEmpty else { return "" }
    return "\(problems.count)"
  }

  /// `tc on eth0`: the ways of a role's packets.
  static func paths(_ status: NodeStatus, of role: Role) -> String {
    let paths = status.statistics?.paths.filter { $0.role == role } ?? []
    return paths.map { $0.device.isEmpty ? $0.path : "\($0.path) on \($0.device)" }.joined(separator: ",")
  }

  /// `2/3`: those that may get connections, of all.
  static func healthy(_ backends: [BackendStatus]) -> String {
    let good = backends.count { $0.health == .healthy || $0.health == .unprobed }
    return "\(good)/\(backends.count)"
  }

  static func attachment(_ attachment: Attachment) -> (netns: String, device: String, kind: String) {
    switch attachment {
    case .networkNamespace(let name, let device, let kind): (name, device, kind.rawValue)
    }
  }

  /// `http /healthz :8080 every 2s`.
  static func probe(_ probe: Probe) -> String {
    let interval = DurationText.text(milliseconds: probe.intervalMilliseconds)
    return switch probe.method {
    case .tcp: "tcp :\(probe.port) every \(interval)"
    case .http(let path): "http \(path) :\(probe.port) every \(interval)"
    }
  }

  /// `in 5, out 7`, by direction.
  static func directions(_ counts: [String: UInt64]) -> String {
    counts.sorted { $0.key < $1.key }.map { $0.key.isEmpty ? "\($0.value)" : "\($0.key) \($0.value)" }
      .joined(separator: ", ")
  }

  static func truth(_ isTrue: Bool) -> String { isTrue ? "yes" : "no" }

  /// In hexadecimal, as ballots show it; empty for a manager that was never heard of.
  static func replica(_ manager: ManagerStatus) -> String {
    manager.replica == 0 ? "" : String(manager.replica, radix: 16)
  }

  static func ballot(_ manager: ManagerStatus) -> String {
    manager.ballot == .none ? "" : "\(manager.ballot)"
  }

  /// `1.2s ago`, or `now` of the manager that answers.
  static func heard(_ manager: ManagerStatus, of group: ManagerGroup) -> String {
    if manager.node == group.answering { return "now" }
    guard manager.replica != 0 else { return "never" }
    return manager.silentMilliseconds < 60_000
      ? "\(Double(manager.silentMilliseconds / 100) / 10)s ago"
      : "\(age(seconds: manager.silentMilliseconds / 1000)) ago"
  }

  /// `45s`, `5m12s`, `3h10m`, `2d4h`: the two largest units.
  static func age(seconds: UInt64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400)
    if minutes == 0 { return "\(seconds)s" }
    if hours == 0 { return "\(minutes)m\(seconds % 60)s" }
    if days == 0 { return "\(hours)h\(minutes % 60)m" }
    return "\(days)d\(hours % 24)h"
  }

  /// How long requests for ports waited; empty before the first was answered.
  static func wait(_ microseconds: UInt64) -> String {
    microseconds == 0 ? "" : duration(microseconds: microseconds)
  }

  /// `0.35ms`, `12ms`, `1.2s`.
  static func duration(microseconds: UInt64) -> String {
    switch microseconds {
    case ..<10_000:
      let hundredths = microseconds % 1000 / 10
      return "\(microseconds / 1000).\(hundredths < 10 ? "0" : "")\(hundredths)ms"
    case ..<1_000_000: return "\(microseconds / 1000)ms"
    default: return "\(microseconds / 1_000_000).\(microseconds % 1_000_000 / 100_000)s"
    }
  }

  /// `2026-11-28T04:16:45Z` (RFC 3339).
  static func time(milliseconds: UInt64) -> String {
    Date(timeIntervalSince1970: Double(milliseconds / 1000)).formatted(.iso8601)
  }
}
