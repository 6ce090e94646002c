import BGP
import Testing
import Wire

/// One cell of RFC 4271 §8.2.2: in this state, this event, these effects, that state.
struct Cell: CustomTestStringConvertible, Sendable {
  enum Event: String, CaseIterable, Sendable {
    case manualStart, manualStop, connectRetryExpires, holdExpires, keepaliveExpires, idleHoldExpires
    case tcpConnected, tcpFails, headerError, openError, versionError, notification, open, keepalive, update
    case updateError, routeRefresh
  }

  var state: SessionState
  var event: Event
  var next: SessionState
  /// The messages sent, in the words of `Peer.transcript`.
  var sent: [String]
  /// By how much ConnectRetryCounter grows; `nil` when it becomes 0.
  var counts: Int?

  var testDescription: String { "\(state) + \(event.rawValue) → \(next)" }
}

@Suite struct SessionTableTests {
  /// Rows of one state: events that share an outcome stand together, as in the RFC's lists.
  private static func rows(
    _ state: SessionState, _ events: [Cell.Event], _ next: SessionState, _ sent: [String] = [],
    counts: Int? = 0
  ) -> [Cell] {
    events.map { Cell(state: state, event: $0, next: next, sent: sent, counts: counts) }
  }

  static let idle =
    rows(.idle, [.manualStart], .connect, counts: nil)
    + rows(.idle, [.idleHoldExpires], .connect)
    + rows(
      .idle,
      [
        .manualStop, .connectRetryExpires, .holdExpires, .keepaliveExpires, .tcpConnected, .tcpFails, .headerError,
        .openError, .versionError, .notification, .open, .keepalive, .update, .updateError, .routeRefresh,
      ], .idle)

  /// What Connect and Active share: "any other event".
  private static func others(_ state: SessionState) -> [Cell] {
    rows(
      state,
      [
        .holdExpires, .keepaliveExpires, .idleHoldExpires, .headerError, .openError, .notification, .open,
        .keepalive, .update, .updateError, .routeRefresh,
      ], .idle, counts: 1)
      + rows(state, [.versionError], .idle)
      + rows(state, [.manualStart, .connectRetryExpires], state == .connect ? .connect : .active)
      + rows(state, [.manualStop], .idle, counts: nil)
      + rows(state, [.tcpConnected], .openSent, ["send OPEN"])
      + rows(state, [.tcpFails], .idle, counts: 1)
  }

  static let connect = others(.connect)
  static let active =
    others(.active).filter { $0.event != .connectRetryExpires }
    + rows(.active, [.connectRetryExpires], .connect)

  static let openSent =
    rows(.openSent, [.manualStart, .tcpConnected], .openSent)
    + rows(.openSent, [.manualStop], .idle, ["send NOTIFICATION 6/2"], counts: nil)
    + rows(.openSent, [.holdExpires], .idle, ["send NOTIFICATION 4/0"], counts: 1)
    + rows(.openSent, [.tcpFails], .active)
    + rows(.openSent, [.open], .openConfirm, ["send KEEPALIVE"])
    + rows(.openSent, [.headerError], .idle, ["send NOTIFICATION 1/1"], counts: 1)
    + rows(.openSent, [.openError], .idle, ["send NOTIFICATION 2/6"], counts: 1)
    + rows(.openSent, [.versionError], .idle)
    + rows(.openSent, [.notification], .idle, counts: 1)
    + rows(
      .openSent, [.connectRetryExpires, .keepaliveExpires, .idleHoldExpires], .idle, ["send NOTIFICATION 5/0"],
      counts: 1)
    + rows(
      .openSent, [.keepalive, .update, .updateError, .routeRefresh], .idle, ["send NOTIFICATION 5/1"], counts: 1)

  static let openConfirm =
    rows(.openConfirm, [.manualStart, .tcpConnected], .openConfirm)
    + rows(.openConfirm, [.manualStop], .idle, ["send NOTIFICATION 6/2"], counts: nil)
    + rows(.openConfirm, [.holdExpires], .idle, ["send NOTIFICATION 4/0"], counts: 1)
    + rows(.openConfirm, [.keepaliveExpires], .openConfirm, ["send KEEPALIVE"])
    + rows(.openConfirm, [.tcpFails, .notification], .idle, counts: 1)
    + rows(.openConfirm, [.versionError], .idle)
    + rows(.openConfirm, [.headerError], .idle, ["send NOTIFICATION 1/1"], counts: 1)
    + rows(.openConfirm, [.keepalive], .established, ["send End-of-RIB"])
    + rows(
      .openConfirm, [.connectRetryExpires, .idleHoldExpires], .idle, ["send NOTIFICATION 5/0"], counts: 1)
    + rows(
      .openConfirm, [.open, .openError, .update, .updateError, .routeRefresh], .idle,
      ["send NOTIFICATION 5/2"], counts: 1)

  static let established =
    rows(.established, [.manualStart, .tcpConnected], .established)
    + rows(.established, [.manualStop], .idle, ["send NOTIFICATION 6/2"], counts: nil)
    + rows(.established, [.holdExpires], .idle, ["send NOTIFICATION 4/0"], counts: 1)
    + rows(.established, [.keepaliveExpires], .established, ["send KEEPALIVE"])
    + rows(.established, [.tcpFails, .notification, .versionError], .idle, counts: 1)
    + rows(.established, [.keepalive, .update, .routeRefresh], .established)
    + rows(.established, [.updateError], .idle, ["send NOTIFICATION 3/1"], counts: 1)
    + rows(.established, [.headerError], .idle, ["send NOTIFICATION 1/1"], counts: 1)
    + rows(
      .established, [.connectRetryExpires, .idleHoldExpires], .idle, ["send NOTIFICATION 5/0"], counts: 1)
    + rows(.established, [.open, .openError], .idle, ["send NOTIFICATION 5/3"], counts: 1)

  static let table = idle + connect + active + openSent + openConfirm + established

  @Test("every state knows every event once")
  func complete() {
    for state in SessionState.allCases {
      let events = Self.table.filter { $0.state == state }.map(\.event.rawValue).sorted()
      #expect(events == Cell.Event.allCases.map(\.rawValue).sorted(), "\(state)")
    }
  }

  @Test("RFC 4271 §8.2.2", arguments: table)
  func cell(_ cell: Cell) {
    var session = Peer.session(in: cell.state)
    #expect(session.state == cell.state)
    // A count before the event shows that a start or stop by hand clears it.
    let before = session.connectRetryCounter
    let effects = session.handle(Self.input(cell.event))
    let transcript = Peer.transcript(effects)
    #expect(session.state == cell.next)
    #expect(transcript.filter { $0.hasPrefix("send") } == cell.sent)
    #expect(session.connectRetryCounter == (cell.counts.map { before + $0 } ?? 0))
    guard cell.state != .idle, cell.next == .idle else { return }
    // Back in Idle the connection is given up, and only the wait for the next start runs.
    #expect(transcript.contains("close") == (cell.state != .active))
    #expect(transcript.contains("arm idleHold 5000") == (cell.event != .manualStop))
    #expect(!transcript.contains { $0.hasPrefix("arm") && !$0.contains("idleHold") })
    #expect(session.announcedCount == 0)
  }

  private static func input(_ event: Cell.Event) -> SessionEvent {
    switch event {
    case .manualStart: .start
    case .manualStop: .stop(reason: "maintenance")
    case .connectRetryExpires: .timerExpired(.connectRetry)
    case .holdExpires: .timerExpired(.hold)
    case .keepaliveExpires: .timerExpired(.keepalive)
    case .idleHoldExpires: .timerExpired(.idleHold)
    case .tcpConnected: .connected
    case .tcpFails: .connectionFailed("connection refused")
    case .headerError: .received([UInt8](repeating: 0, count: 19))
    case .openError: .received(RawMessage(type: .open, body: hex("04 fde8 0001 0a010101 00")).octets)
    case .versionError: received(.notification(NotificationMessage(code: 2, subcode: 1, data: [0, 4])))
    case .notification: received(.notification(NotificationMessage(code: 6, subcode: 4, data: [])))
    case .open: received(.open(Peer.open))
    case .keepalive: received(.keepalive)
    case .update: received(.update(UpdateMessage(withdrawn: vips(1))))
    case .updateError: .received(RawMessage(type: .update, body: hex("0005 0000")).octets)
    case .routeRefresh: received(.routeRefresh(RouteRefreshMessage(family: .ipv4Unicast)))
    }
  }

  private static func received(_ message: Message) -> SessionEvent { .received(Peer.octets(message)) }
}
