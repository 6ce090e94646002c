import Control
import Manager
import SEDA

/// A manager's ends of its agents' streams: one report of each is under way at a time, the others wait their turn.
struct AgentStreams {
  private struct End {
    let stream: Int
    let session: SessionID
    let node: String
    let isHost: Bool
    var heard: Moment
    /// The agent has carried something out that it was told on this stream.
    var hasAcknowledged = false
    /// Since when it has been told something and has acknowledged nothing.
    var owesSince: Moment?
    /// Reports in order; the first is with the stages, or waits until it may be offered again.
    var reports: [Report] = []
    var offerAt: Moment?
  }

  private var ends: [End] = []
  private var lastSession: UInt64 = 0

  /// Begins a stream.
  mutating func open(_ stream: Int, _ hello: Hello, at time: Moment) -> SessionID {
    lastSession += 1
    let session = SessionID(lastSession)
    ends.append(
      End(
        stream: stream, session: session, node: hello.node, isHost: hello.roles.contains(.host), heard: time))
    return session
  }

  func session(of stream: Int) -> SessionID? { ends.first { $0.stream == stream }?.session }
  func stream(of session: SessionID) -> Int? { ends.first { $0.session == session }?.stream }
  func node(of stream: Int) -> (name: String, isHost: Bool)? {
    ends.first { $0.stream == stream }.map { ($0.node, $0.isHost) }
  }

  /// Nodes that have acknowledged something on their stream; those that have owed something for long are apart.
  func acknowledged(at time: Moment) -> (prompt: Set<String>, late: Set<String>) {
    let nodes = ends.filter(\.hasAcknowledged)
    let late = Set(nodes.filter { $0.owesSince.map { time >= $0 + Limits.patience } ?? false }.map(\.node))
    return (Set(nodes.map(\.node)).subtracting(late), late)
  }

  mutating func acknowledge(_ stream: Int) {
    guard let index = index(of: stream) else { return }
    ends[index].hasAcknowledged = true
    ends[index].owesSince = nil
  }

  /// The agent is sent an update.
  mutating func told(_ session: SessionID, at time: Moment) {
    guard let index = ends.firstIndex(where: { $0.session == session }) else { return }
    ends[index].owesSince = ends[index].owesSince ?? time
  }

  mutating func forget(_ session: SessionID) { ends.removeAll { $0.session == session } }

  /// The agent was heard.
  mutating func heard(_ stream: Int, at time: Moment) {
    if let index = index(of: stream) { ends[index].heard = time }
  }

  /// Streams that were silent for too long.
  func silent(at time: Moment) -> [Int] {
    ends.filter { time >= $0.heard + Limits.silence }.map(\.stream)
  }

  /// Takes a report; true if it is the turn of this one at once.
  mutating func append(_ report: Report, of stream: Int) -> Bool {
    guard let index = index(of: stream), ends[index].reports.count < Limits.reportsPerStream else {
      return false
    }
    ends[index].reports.append(report)
    return ends[index].reports.count == 1
  }

  /// The first report is done with; the next one, if there is one.
  mutating func finished(_ stream: Int) -> Report? {
    guard let index = index(of: stream), !ends[index].reports.isEmpty else { return nil }
    ends[index].reports.removeFirst()
    return ends[index].reports.first
  }

  /// The first report is to be offered again then.
  mutating func hold(_ stream: Int, until time: Moment) {
    if let index = index(of: stream) { ends[index].offerAt = time }
  }

  /// Reports that are to be offered again now.
  mutating func due(at time: Moment) -> [(stream: Int, report: Report)] {
    var due: [(stream: Int, report: Report)] = []
    for index in ends.indices {
      guard let offerAt = ends[index].offerAt, offerAt <= time else { continue }
      ends[index].offerAt = nil
      if let report = ends[index].reports.first { due.append((ends[index].stream, report)) }
    }
    return due
  }

  private func index(of stream: Int) -> Int? { ends.firstIndex { $0.stream == stream } }
}

/// What agents say to a manager, on its way through the stages.
extension ManagerProcess {
  func take(_ item: Stream.Upward, on stream: Int, _ now: Now) {
    streams.heard(stream, at: now.time)
    switch item {
    case .hello(let hello):
      if let epoch, hello.epoch > epoch { effects.append(.seen(.contradicted)) }
      feed(.connected(hello, streams.open(stream, hello, at: now.time)), now)
    case .report(let report):
      if streams.append(report, of: stream) { offer(report, of: stream, now) }
    case .ping:
      effects.append(.tell(stream: stream, streams.session(of: stream) == nil ? .ended : .pong))
    case .ended: end(stream, now)
    }
  }

  func end(_ stream: Int, _ now: Now) {
    guard let session = streams.session(of: stream) else { return }
    streams.forget(session)
    feed(.disconnected(session), now)
  }

  /// Offers a report to the stage of the node's role.
  func offer(_ report: Report, of stream: Int, _ now: Now) {
    guard let (node, isHost) = streams.node(of: stream) else { return }
    let stage: Stage =
      switch report {
      case .portRequest: .snatManagement
      default: isHost ? .hostAgentManagement : .muxPoolManagement
      }
    submit(.report(report, stream: stream), key: node, stage, Self.priority(of: report), now)
  }

  private static func priority(of report: Report) -> Priority {
    switch report {
    case .health: .high
    case .hello, .acknowledged, .refused, .portRequest, .portsReturned: .normal
    case .statistics: .low
    }
  }

  /// A report that was shed is offered again later; statistics have successors.
  func hold(_ report: Report, of stream: Int, _ milliseconds: UInt32, _ now: Now) {
    if case .portRequest(let request) = report {
      let refusal = PortRefusal(
        locator: request.locator, reason: .overloaded, retryAfterMilliseconds: milliseconds)
      effects.append(.tell(stream: stream, .portRefusal(refusal)))
      if let next = streams.finished(stream) { offer(next, of: stream, now) }
      return
    }
    guard case .statistics = report else {
      effects.append(.seen(.held))
      return streams.hold(stream, until: now.time + .milliseconds(Int(milliseconds)))
    }
    effects.append(.seen(.statisticsShed))
    if let next = streams.finished(stream) { offer(next, of: stream, now) }
  }

  func take(_ report: Report, from stream: Int, _ now: Now) {
    guard let session = streams.session(of: stream) else { return }
    if case .acknowledged = report { streams.acknowledge(stream) }
    if case .refused(_, let highest) = report, let epoch, highest > epoch {
      effects.append(.seen(.contradicted))
    }
    feed(.report(report, session), now)
  }
}
