public import Wire

/// Decides when each endpoint is probed and what the results say of its health; pure: events in, effects out.
///
/// The first result decides at once; after that the state changes with `threshold` consecutive results that
/// contradict it. Times are milliseconds of a clock that never goes back.
public struct Prober: Sendable {
  /// What happens to it.
  public enum Input: Sendable {
    /// From now on these; what is known of a target that asks the same as before stays known.
    case configure([ProbeTarget])
    /// Time passes; to be told at least every 50 ms.
    case tick(now: UInt64)
    /// The connection of a probe stands.
    case connected(id: UInt32)
    /// The connection was refused or broken.
    case refused(id: UInt32)
    /// Bytes came on the connection.
    case received(id: UInt32, [UInt8])
    /// The other side has sent all it will.
    case closed(id: UInt32)
  }

  /// What it wants done, in this order.
  public enum Output: Hashable, Sendable {
    /// Open a TCP connection to a VM.
    case open(id: UInt32, machine: UInt32, to: IPv4Address, port: UInt16)
    /// Send this on it.
    case send(id: UInt32, [UInt8])
    /// The connection is of no more use.
    case close(id: UInt32)
    /// To be reported to the manager.
    case healthChanged(ProbeResult)
  }

  private enum Phase: Sendable {
    case waiting
    case connecting(until: UInt64)
    case asking(until: UInt64, HTTPStatusReader)

    var deadline: UInt64? {
      switch self {
      case .waiting: nil
      case .connecting(let until), .asking(let until, _): until
      }
    }
  }

  private struct Entry: Sendable {
    var target: ProbeTarget
    var phase = Phase.waiting
    /// nil before the first tick.
    var next: UInt64?
    /// nil before the first result.
    var state: (isHealthy: Bool, reason: String)?
    /// Consecutive results that contradict the state.
    var against = 0
  }

  /// Sorted by the target's id.
  private var entries: [Entry] = []

  /// Starts with nothing to probe.
  public init() {}

  /// What is known now, for a manager that must be told everything; endpoints without a result are missing.
  public var results: [ProbeResult] {
    entries.compactMap { entry in
      entry.state.map { ProbeResult(entry.target, isHealthy: $0.isHealthy, reason: $0.reason) }
    }
  }

  /// Takes one event.
  public mutating func handle(_ input: Input) -> [Output] {
    switch input {
    case .configure(let targets): configure(targets)
    case .tick(let now): tick(now)
    case .connected(let id): connected(id)
    case .refused(let id): conclude(id, isHealthy: false, "connection refused")
    case .received(let id, let bytes): received(id, bytes)
    case .closed(let id): conclude(id, isHealthy: false, "connection closed without an answer")
    }
  }

  private mutating func configure(_ targets: [ProbeTarget]) -> [Output] {
    var outputs: [Output] = []
    var wanted: [Entry] = []
    var kept: [UInt32: Entry] = [:]
    for entry in entries { kept[entry.target.id] = entry }
    for target in targets.sorted(by: { $0.id < $1.id }).prefix(Limits.probes) {
      guard wanted.last?.target.id != target.id else { continue }
      guard var entry = kept[target.id], entry.target.asksTheSame(as: target) else {
        wanted.append(Entry(target: target))
        continue
      }
      entry.target = target
      kept[target.id] = nil
      wanted.append(entry)
    }
    for entry in entries where entry.phase.deadline != nil && kept[entry.target.id] != nil {
      outputs.append(.close(id: entry.target.id))
    }
    entries = wanted
    return outputs
  }

  private mutating func tick(_ now: UInt64) -> [Output] {
    var outputs: [Output] = []
    for index in entries.indices {
      if let deadline = entries[index].phase.deadline, now >= deadline {
        outputs += conclude(entries[index].target.id, isHealthy: false, "timed out")
      }
      let target = entries[index].target
      guard let next = entries[index].next else {
        entries[index].next = now + target.firstDelayMilliseconds
        continue
      }
      guard now >= next, entries[index].phase.deadline == nil else { continue }
      let interval = UInt64(max(1, target.intervalMilliseconds))
      // Missed starts are not made up for.
      entries[index].next = next + interval > now ? next + interval : now + interval
      entries[index].phase = .connecting(until: now + UInt64(max(1, target.timeoutMilliseconds)))
      outputs.append(.open(id: target.id, machine: target.machine, to: target.dip, port: target.port))
    }
    return outputs
  }

  private mutating func connected(_ id: UInt32) -> [Output] {
    guard let index = index(of: id), case .connecting(let until) = entries[index].phase else { return [] }
    switch entries[index].target.method {
    case .tcp: return conclude(id, isHealthy: true, "connection accepted")
    case .http(let path):
      entries[index].phase = .asking(until: until, HTTPStatusReader())
      return [.send(id: id, Self.request(path, of: entries[index].target))]
    }
  }

  private mutating func received(_ id: UInt32, _ bytes: [UInt8]) -> [Output] {
    guard let index = index(of: id), case .asking(let until, var reader) = entries[index].phase else {
      return []
    }
    let answer = reader.read(bytes)
    entries[index].phase = .asking(until: until, reader)
    switch answer {
    case .incomplete: return []
    case .status(200): return conclude(id, isHealthy: true, "status 200")
    case .status(let code): return conclude(id, isHealthy: false, "status \(code)")
    case .nonsense: return conclude(id, isHealthy: false, "not an HTTP answer")
    case .endless:
      return conclude(id, isHealthy: false, "status line longer than \(Limits.statusLineBytes) bytes")
    }
  }

  /// A probe has its result, whatever may still come on its connection.
  private mutating func conclude(_ id: UInt32, isHealthy: Bool, _ reason: String) -> [Output] {
    guard let index = index(of: id), entries[index].phase.deadline != nil else { return [] }
    entries[index].phase = .waiting
    var outputs = [Output.close(id: id)]
    if let state = entries[index].state, state.isHealthy == isHealthy {
      entries[index].against = 0
      return outputs
    }
    entries[index].against += 1
    let target = entries[index].target
    guard entries[index].state == nil || entries[index].against >= target.threshold else { return outputs }
    entries[index].state = (isHealthy, reason)
    entries[index].against = 0
    outputs.append(.healthChanged(ProbeResult(target, isHealthy: isHealthy, reason: reason)))
    return outputs
  }

  private func index(of id: UInt32) -> Int? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].target.id < id { low = middle + 1 } else { high = middle }
    }
    return low < entries.count && entries[low].target.id == id ? low : nil
  }

  /// The corresponding command is `curl --http1.1 -H 'Connection: close'`.
  private static func request(_ path: String, of target: ProbeTarget) -> [UInt8] {
    let path = path.hasPrefix("/") ? path : "/" + path
    let text =
      "GET \(path) HTTP/1.1\r\nHost: \(target.dip):\(target.port)\r\nUser-Agent: ananta-probe\r\n"
      + "Accept: */*\r\nConnection: close\r\n\r\n"
    return Array(text.utf8)
  }
}
