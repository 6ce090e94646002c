import Control
import Logging
import Synchronization

/// Counts those who were refused, and says so in the log.
///
/// Somebody who is refused tries again and again: the same reason is logged once in a while, and counted always.
final class Refusals: Sendable {
  private struct State {
    var counts: [String: UInt64] = [:]
    var logged: [String: ContinuousClock.Instant] = [:]
  }

  private let logger: Logger
  private let state = Mutex(State())

  init(logger: Logger) { self.logger = logger }

  /// Counts somebody under a label; `peer` is empty when only the certificate says who it was.
  func add(_ label: String, peer: String, _ reason: String) {
    let now = ContinuousClock.now
    let isNew = state.withLock { state in
      state.counts[label, default: 0] += 1
      let key = "\(label) \(Self.host(peer)) \(reason)"
      if let last = state.logged[key], now - last < Limits.sameRefusal { return false }
      if state.logged.count >= Limits.refusalsRemembered {
        state.logged = state.logged.filter { now - $0.value < Limits.sameRefusal }
        // Whoever finds a new reason each time does not fill the disk with them.
        guard state.logged.count < Limits.refusalsRemembered else { return false }
      }
      state.logged[key] = now
      return true
    }
    guard isNew else { return }
    var metadata: Logger.Metadata = ["reason": "\(reason)"]
    if !peer.isEmpty { metadata["peer"] = "\(peer)" }
    logger.notice("refused", metadata: metadata)
  }

  func warn(_ text: String) { logger.warning("\(text)") }

  /// How many were refused, by reason.
  var counters: [Counter] {
    state.withLock { $0.counts }.sorted { $0.key < $1.key }.map { label, count in
      Counter(name: "ananta_manager_refusals_total", labels: ["reason": label], value: count)
    }
  }

  /// Ports change with each connection.
  private static func host(_ peer: String) -> Substring {
    peer[..<(peer.lastIndex(of: ":") ?? peer.endIndex)]
  }
}
