import Control
import Wire

/// Reports that wait for the stream.
///
/// Each sort needs only its newest state, so the queue is bounded by the number of VMs, endpoints and leased ranges on
/// the host: nothing that counts is ever dropped.
struct ReportQueue {
  private struct Probed: Hashable {
    let locator: IPv4Address
    let key: EndpointKey
  }

  private var answer: Report?
  private var health: [Probed: HealthChange] = [:]
  /// In the order in which the changes were seen.
  private var order: [Probed] = []
  private var requests = Once<PortRequest>()
  private var returned = Once<PortLease>()
  private var statistics: NodeStatistics?

  /// Adds a report; an older one of the same thing is replaced.
  ///
  /// - Returns: whether more is to be sent than before. False: all of it took the place of what waits still.
  @discardableResult
  mutating func add(_ report: Report) -> Bool {
    switch report {
    case .hello: return false
    case .acknowledged, .refused:
      defer { answer = report }
      return answer == nil
    case .health(let changes):
      let count = order.count
      for change in changes {
        let probed = Probed(locator: change.locator, key: change.key)
        if health.updateValue(change, forKey: probed) == nil { order.append(probed) }
      }
      return order.count > count
    case .portRequest(let request): return requests.add(request)
    case .portsReturned(let leases): return leases.count { returned.add($0) } > 0
    case .statistics(let newest):
      defer { statistics = newest }
      return statistics == nil
    }
  }

  /// What is to be sent next: first ports that are given back, then acknowledgements, then what connections wait for,
  /// then health, then statistics.
  mutating func next() -> Report? {
    // What an acknowledgement that waits is about may be a later lease of the same range: said after it, the return
    // would end that. One that is said too early is ignored, and said again.
    let leases = returned.take(atMost: Control.Limits.rangesPerReport)
    if !leases.isEmpty { return .portsReturned(leases) }
    if let answer {
      self.answer = nil
      return answer
    }
    if let request = requests.take(atMost: 1).first { return .portRequest(request) }
    if !order.isEmpty {
      let batch = order.prefix(Limits.healthChangesPerReport)
      order.removeFirst(batch.count)
      return .health(batch.compactMap { health.removeValue(forKey: $0) })
    }
    defer { statistics = nil }
    return statistics.map { .statistics($0) }
  }

  /// Forgets what a new stream has no use for: its hello says what the acknowledgement would, and the host says
  /// anew what it asks for and gives back.
  mutating func beginStream() {
    answer = nil
    requests = Once()
    returned = Once()
    statistics = nil
  }
}

/// Things in the order in which they came, each once.
private struct Once<Element: Hashable> {
  private var waiting: Set<Element> = []
  private var order: [Element] = []
  private var taken = 0

  /// Whether it did not wait already.
  mutating func add(_ element: Element) -> Bool {
    guard waiting.insert(element).inserted else { return false }
    order.append(element)
    return true
  }

  mutating func take(atMost count: Int) -> [Element] {
    let batch = order[taken...].prefix(count)
    guard !batch.isEmpty else { return [] }
    taken += batch.count
    for element in batch { waiting.remove(element) }
    let elements = Array(batch)
    if taken * 2 > order.count {
      order.removeFirst(taken)
      taken = 0
    }
    return elements
  }
}
