import Control
import Wire

/// Reports that wait for the stream.
///
/// Each sort needs only its newest state, so the queue is bounded by the number of endpoints on the host: nothing
/// that counts is ever dropped.
struct ReportQueue {
  private struct Probed: Hashable {
    let locator: IPv4Address
    let key: EndpointKey
  }

  private var answer: Report?
  private var health: [Probed: HealthChange] = [:]
  /// In the order in which the changes were seen.
  private var order: [Probed] = []
  private var statistics: NodeStatistics?

  /// Adds a report; an older one of the same thing is replaced.
  mutating func add(_ report: Report) {
    switch report {
    case .hello: break
    case .acknowledged, .refused: answer = report
    case .health(let changes):
      for change in changes {
        let probed = Probed(locator: change.locator, key: change.key)
        if health.updateValue(change, forKey: probed) == nil { order.append(probed) }
      }
    case .statistics(let newest): statistics = newest
    }
  }

  /// What is to be sent next: first acknowledgements, then health, then statistics.
  mutating func next() -> Report? {
    if let answer {
      self.answer = nil
      return answer
    }
    if !order.isEmpty {
      let batch = order.prefix(Limits.healthChangesPerReport)
      order.removeFirst(batch.count)
      return .health(batch.compactMap { health.removeValue(forKey: $0) })
    }
    defer { statistics = nil }
    return statistics.map { .statistics($0) }
  }

  /// Forgets what a new stream has no use for: its hello says what the acknowledgement would.
  mutating func beginStream() {
    answer = nil
    statistics = nil
  }
}
