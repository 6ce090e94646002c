import Wire

/// BGP's session with one router (RFC 4271 §8), pure: an event in, effects out; no clock, no socket.
///
/// The side that connects only: nothing listens, so that there is never a second connection to the same peer
/// and collision detection (§6.8) has nothing to decide. Two passages of the RFC that contradict others are
/// not followed to the letter: a NOTIFICATION is never answered by one (§6.4 over §8.2.2, OpenSent), and a
/// broken header in Established is reported as what it is (§6.1 over §8.2.2, which has Finite State Machine
/// Error).
public struct Session: Sendable {
  /// Whom it connects with whom.
  public let configuration: SessionConfiguration
  /// Where it is in RFC 4271 §8.2.2.
  public private(set) var state = SessionState.idle
  /// Ends since the last start by hand (RFC 4271 §8.1.1, ConnectRetryCounter).
  public private(set) var connectRetryCounter = 0
  /// What has passed.
  public private(set) var counters = SessionCounters()
  /// Why the session last ended, or the last fault in an UPDATE.
  public private(set) var lastError: String?
  /// The peer's OPEN while the session is in OpenConfirm or Established.
  public private(set) var peer: OpenMessage?
  /// 750 to 1000: what the next timers are multiplied with, per mille (RFC 4271 §10).
  ///
  /// Chance comes from outside: the shell draws a number before each event.
  public var jitterPermille = 1000

  private var announcer = Announcer()
  private var framer = Framer()
  private var armed: Set<SessionTimer> = []
  private var effects: [SessionEffect] = []
  /// Ends by a protocol error without a calm session in between; lengthens the wait in Idle.
  private var errorsInARow = 0
  private var refreshIsDue = false
  private var faultWasReported = false

  /// A session in Idle.
  public init(_ configuration: SessionConfiguration) { self.configuration = configuration }

  /// The hold time in force, the smaller of both proposals; 0 is none.
  public var holdTimeSeconds: Int { Int(min(configuration.holdTimeSeconds, peer?.holdTimeSeconds ?? .max)) }

  /// How many prefixes the peer has been sent on this connection.
  public var announcedCount: Int { announcer.announced.count }

  /// Takes an event; the effects are to be carried out in their order.
  public mutating func handle(_ event: SessionEvent) -> [SessionEffect] {
    switch event {
    case .announce(let prefixes):
      announcer.desire(prefixes)
      if state == .established { sendUpdates() }
    case .received(let octets): receive(octets)
    case .timerExpired(let timer):
      armed.remove(timer)
      step(.timer(timer))
    case .start: step(.start)
    case .stop(let reason): step(.stop(reason))
    case .connected: step(.connected)
    case .connectionFailed(let reason): step(.failed(reason))
    }
    defer { effects = [] }
    return effects
  }

  // MARK: From octets to inputs

  /// The events of RFC 4271 §8.1 after reading.
  private enum Input {
    case start, connected
    case stop(String)
    case timer(SessionTimer)
    case failed(String)
    case malformed(MessageError)
    case unexpected(MessageType)
    case message(Message)
  }

  private mutating func receive(_ octets: [UInt8]) {
    var input = octets[...]
    while state != .idle {
      do throws(MessageError) {
        guard let raw = try framer.next(from: &input) else { break }
        counters.messagesReceived += 1
        step(try read(raw))
      } catch {
        step(.malformed(error))
      }
    }
    guard refreshIsDue, state == .established else { return }
    refreshIsDue = false
    announcer.forget()
    sendUpdates()
  }

  /// A message that its state does not expect is not read at all (RFC 6608).
  private mutating func read(_ raw: RawMessage) throws(MessageError) -> Input {
    let isExpected =
      switch state {
      case .idle, .connect, .active: false
      case .openSent: raw.type == .open
      case .openConfirm: raw.type == .keepalive
      case .established: raw.type != .open
      }
    guard isExpected || raw.type == .notification else { return .unexpected(raw.type) }
    let decoded = try Message.decode(raw, rules: rules)
    for fault in decoded.faults { note(fault) }
    return .message(decoded.message)
  }

  private var fourOctetAS: Bool { peer?.hasFourOctetAS ?? false }

  private var rules: UpdateRules {
    UpdateRules(fourOctetAS: fourOctetAS, isInternal: configuration.isInternal)
  }

  /// One line per connection, so that a peer cannot fill a log.
  private mutating func note(_ fault: UpdateFault) {
    counters.updateFaults += 1
    lastError = String(fault.error.reason.prefix(Limits.maximumErrorTextLength))
    guard !faultWasReported else { return }
    faultWasReported = true
    effects.append(.report("UPDATE with a fault, \(fault.severity): \(fault.error.reason)"))
  }

  // MARK: The states, RFC 4271 §8.2.2

  private mutating func step(_ input: Input) {
    switch state {
    case .idle: idle(input)
    case .connect: connect(input)
    case .active: active(input)
    case .openSent: openSent(input)
    case .openConfirm: openConfirm(input)
    case .established: established(input)
    }
  }

  private mutating func idle(_ input: Input) {
    switch input {
    case .start:
      connectRetryCounter = 0
      errorsInARow = 0
      beginToConnect()
    case .timer(.idleHold): beginToConnect()
    case .stop(let reason):
      disarm(.idleHold)
      lastError = "stopped: \(reason)"
    default: break
    }
  }

  private mutating func connect(_ input: Input) {
    switch input {
    case .start: break
    case .timer(.connectRetry):
      lastError = "no answer within the connect retry time"
      effects.append(.close)
      beginToConnect()
    case .connected: sendOpen()
    default: leave(input)
    }
  }

  private mutating func active(_ input: Input) {
    switch input {
    case .start: break
    case .timer(.connectRetry): beginToConnect()
    case .connected: sendOpen()
    default: leave(input)
    }
  }

  private mutating func openSent(_ input: Input) {
    switch input {
    case .start, .connected: break
    case .failed(let reason):
      lastError = reason
      closeConnection()
      disarm(.hold)
      armConnectRetry()
      enter(.active)
    case .message(.open(let open)): accept(open)
    default: leave(input)
    }
  }

  private mutating func openConfirm(_ input: Input) {
    switch input {
    case .start, .connected: break
    case .timer(.keepalive): sendKeepalive()
    case .message(.keepalive): establish()
    default: leave(input)
    }
  }

  private mutating func established(_ input: Input) {
    switch input {
    case .start, .connected: break
    case .timer(.keepalive): sendKeepalive()
    case .message(.keepalive):
      errorsInARow = 0
      armHold()
    case .message(.update(let update)):
      counters.updatesReceived += 1
      counters.prefixesReceived += UInt64(update.announced.count)
      counters.prefixesWithdrawn += UInt64(update.withdrawn.count)
      armHold()
    case .message(.routeRefresh(let refresh)):
      if refresh.family == .ipv4Unicast, refresh.subtype == 0 { refreshIsDue = true }
    default: leave(input)
    }
  }

  // MARK: Forward

  private mutating func beginToConnect() {
    disarm(.idleHold)
    armConnectRetry()
    effects.append(.connect)
    enter(.connect)
  }

  private mutating func sendOpen() {
    disarm(.connectRetry)
    framer = Framer()
    send(.open(configuration.open))
    arm(.hold, milliseconds: Limits.openHoldTimeSeconds * 1000)
    enter(.openSent)
  }

  private mutating func accept(_ open: OpenMessage) {
    if let error = refusal(of: open) { return leave(.malformed(error)) }
    peer = open
    send(.keepalive)
    if holdTimeSeconds == 0 { disarm(.hold) }
    armKeepalive()
    armHold()
    enter(.openConfirm)
  }

  /// The checks of an OPEN that need our side (RFC 4271 §6.2, RFC 6286 §2.2, RFC 5492 §5).
  private func refusal(of open: OpenMessage) -> MessageError? {
    if open.autonomousSystem != configuration.remoteAS {
      return MessageError(
        .openMessage, 2,
        reason: "the peer is in AS \(open.autonomousSystem), not in AS \(configuration.remoteAS)")
    }
    if configuration.isInternal, open.identifier == configuration.routerID {
      return MessageError(.openMessage, 3, reason: "the peer has our own router id \(open.identifier)")
    }
    if !open.accepts(.ipv4Unicast) {
      let wanted = Capability.multiprotocol(.ipv4Unicast).octets
      return MessageError(.openMessage, 7, wanted, reason: "the peer does not take IPv4 unicast routes")
    }
    return nil
  }

  private mutating func establish() {
    counters.establishments += 1
    faultWasReported = false
    if holdTimeSeconds == 0 { errorsInARow = 0 }
    armHold()
    enter(.established)
    sendUpdates()
    send(.update(.endOfRIB))
  }

  private mutating func sendUpdates() {
    var attributes: [PathAttribute] = [.origin(.igp)]
    if configuration.isInternal {
      attributes += [.asPath(ASPath([])), .nextHop(configuration.nextHop), .localPreference(100)]
    } else {
      attributes += [.asPath(ASPath([.sequence([configuration.localAS])])), .nextHop(configuration.nextHop)]
      // RFC 6793 §4.2.2: a two-octet peer is told the real number beside AS_TRANS.
      if !fourOctetAS, configuration.localAS > UInt32(UInt16.max) {
        attributes.append(.as4Path(ASPath([.sequence([configuration.localAS])])))
      }
    }
    let updates = announcer.updates(attributes: attributes, fourOctetAS: fourOctetAS)
    for update in updates { send(.update(update)) }
    // RFC 4271 §4.4: an UPDATE is as good a sign of life as a KEEPALIVE.
    if !updates.isEmpty { armKeepalive() }
  }

  private mutating func sendKeepalive() {
    send(.keepalive)
    armKeepalive()
  }

  private mutating func send(_ message: Message) {
    counters.messagesSent += 1
    if message.type == .update { counters.updatesSent += 1 }
    effects.append(.send(message.octets(fourOctetAS: fourOctetAS)))
  }

  // MARK: Back to Idle

  /// What RFC 4271 §8.2.2 has for every input that a state does not name itself.
  private mutating func leave(_ input: Input) {
    let hasConnection = state != .connect && state != .active
    var notification: NotificationMessage?
    var counts = true
    var restarts = true
    switch input {
    case .start, .connected: lastError = "an event that state \(state.rawValue) does not know"
    case .stop(let reason):
      notification = .administrativeShutdown(reason)
      lastError = "stopped: \(reason)"
      counts = false
      restarts = false
    case .failed(let reason): lastError = reason
    case .timer(.hold):
      notification = NotificationMessage(code: ErrorCode.holdTimerExpired.rawValue, subcode: 0, data: [])
      lastError =
        hasConnection ? "nothing heard for the hold time" : "hold timer expired in \(state.rawValue)"
    case .timer(let timer):
      notification = .finiteStateMachine(nil, in: state)
      lastError = "timer \(timer) expired in state \(state.rawValue)"
    case .unexpected(let type):
      notification = .finiteStateMachine(type, in: state)
      lastError = "unexpected message \(type) in state \(state.rawValue)"
    case .malformed(let error):
      notification = error.notification
      lastError = "\(error.reason); sent \(error.notification)"
    case .message(.notification(let received)):
      // Event 24, an unsupported version, does not count (RFC 4271 §8.2.2) unless the session stood.
      counts = state == .established || !(received.code == 2 && received.subcode == 1)
      lastError = "the peer sent \(received)"
    case .message(let message): lastError = "unexpected message \(message.type)"
    }
    if let notification, hasConnection { send(.notification(notification)) }
    connectRetryCounter = restarts ? connectRetryCounter + (counts ? 1 : 0) : 0
    if case .failed = input {} else if restarts { errorsInARow += 1 }
    enterIdle(restarts: restarts)
  }

  private mutating func enterIdle(restarts: Bool) {
    lastError = lastError.map { String($0.prefix(Limits.maximumErrorTextLength)) }
    if restarts, let lastError { effects.append(.report("session ended in \(state.rawValue): \(lastError)")) }
    for timer in SessionTimer.allCases { disarm(timer) }
    if state == .active { forgetConnection() } else { closeConnection() }
    enter(.idle)
    guard restarts else { return }
    let doublings = min(max(errorsInARow - 1, 0), Limits.maximumIdleDoublings)
    arm(.idleHold, milliseconds: jittered(Int(configuration.connectRetrySeconds) * 1000) << doublings)
  }

  private mutating func closeConnection() {
    effects.append(.close)
    forgetConnection()
  }

  private mutating func forgetConnection() {
    framer = Framer()
    peer = nil
    announcer.forget()
    refreshIsDue = false
  }

  private mutating func enter(_ next: SessionState) {
    guard next != state else { return }
    state = next
    effects.append(.changed(next))
  }

  // MARK: Timers

  private func jittered(_ milliseconds: Int) -> Int {
    milliseconds * min(max(jitterPermille, 750), 1000) / 1000
  }

  private mutating func armConnectRetry() {
    arm(.connectRetry, milliseconds: jittered(Int(configuration.connectRetrySeconds) * 1000))
  }

  private mutating func armHold() {
    if holdTimeSeconds > 0 { arm(.hold, milliseconds: holdTimeSeconds * 1000) }
  }

  private mutating func armKeepalive() {
    if holdTimeSeconds > 0 { arm(.keepalive, milliseconds: jittered(holdTimeSeconds * 1000 / 3)) }
  }

  private mutating func arm(_ timer: SessionTimer, milliseconds: Int) {
    armed.insert(timer)
    effects.append(.arm(timer, milliseconds: milliseconds))
  }

  private mutating func disarm(_ timer: SessionTimer) {
    guard armed.remove(timer) != nil else { return }
    effects.append(.disarm(timer))
  }
}
