import BGP
import Wire

/// The first byte of an input says what kind of peer there is and in which state the session begins; events
/// follow, each a byte that names it and what it needs.
struct Target {
  mutating func run(_ data: Input) {
    var input = data
    let kind = input.byte()
    var peer = PeeredSession(isInternal: kind & 1 == 1, hasFourOctetAS: kind & 2 == 2)
    peer.advance(to: SessionState.allCases[(kind >> 2) % SessionState.allCases.count])
    while !input.isEmpty { peer.take(&input) }
  }
}

/// A session and the stream that comes to it, and what is demanded of what it does.
private struct PeeredSession {
  private var session: Session
  /// Reads the stream as the session does.
  private var framer = Framer()
  private let openOfPeer: OpenMessage
  private static let ourAS: UInt32 = 70_000

  init(isInternal: Bool, hasFourOctetAS: Bool) {
    let remoteAS = isInternal ? Self.ourAS : 65_001
    session = Session(
      SessionConfiguration(
        localAS: Self.ourAS, routerID: IPv4Address(10, 0, 0, 1), nextHop: IPv4Address(10, 0, 0, 1),
        remoteAS: remoteAS, holdTimeSeconds: 9, connectRetrySeconds: 5))
    openOfPeer = OpenMessage(
      autonomousSystem: remoteAS, holdTimeSeconds: 30, identifier: IPv4Address(10, 0, 0, 2),
      capabilities: [.multiprotocol(.ipv4Unicast), .routeRefresh]
        + (hasFourOctetAS || isInternal ? [.fourOctetAS(remoteAS)] : []))
  }

  /// The way there, as RFC 4271 §8.2.2 has it.
  mutating func advance(to state: SessionState) {
    guard state != .idle else { return }
    handle(.announce([IPv4Prefix(IPv4Address(203, 0, 113, 10), length: 32)]))
    handle(.start)
    guard state != .connect else { return }
    handle(.connected)
    if state == .active { return handle(.connectionFailed("closed")) }
    guard state != .openSent else { return }
    handle(.received(Message.open(openOfPeer).octets(fourOctetAS: true)))
    guard state != .openConfirm else { return }
    handle(.received(Message.keepalive.octets(fourOctetAS: true)))
    precondition(session.state == .established, "the way to Established")
  }

  mutating func take(_ input: inout Input) {
    let kind = input.byte()
    let detail = kind >> 4
    switch kind & 15 {
    case 0...5: message(&input, cutAt: detail)
    case 6, 7: receive(input.bytes(input.word()))
    case 8: handle(.timerExpired(SessionTimer.allCases[detail % SessionTimer.allCases.count]))
    case 9: handle(.connected)
    case 10: handle(.connectionFailed("refused"))
    case 11: handle(.start)
    case 12: handle(.stop(reason: String(decoding: input.bytes(detail * 16), as: UTF8.self)))
    case 13: announce(&input, count: detail == 15 ? 1_024 : detail)
    case 14: advance()
    default: session.jitterPermille = input.word()
    }
  }

  /// Where the session can be led on, it is.
  private mutating func advance() {
    switch session.state {
    case .idle: handle(.start)
    case .connect, .active: handle(.connected)
    case .openSent: receive(Message.open(openOfPeer).octets(fourOctetAS: true))
    case .openConfirm, .established: receive(Message.keepalive.octets(fourOctetAS: true))
    }
  }

  /// A message whose header is right, in two parts.
  private mutating func message(_ input: inout Input, cutAt place: Int) {
    let type = MessageType.allCases[input.byte() % MessageType.allCases.count]
    let body = input.bytes(min(input.word(), Limits.maximumMessageLength - Limits.headerLength))
    let raw = RawMessage(type: type, body: body)
    for fourOctetAS in [false, true] {
      for isInternal in [false, true] {
        decode(raw, UpdateRules(fourOctetAS: fourOctetAS, isInternal: isInternal))
      }
    }
    let octets = raw.octets
    let cut = min(place * place * 2, octets.count)
    if cut > 0 { receive([UInt8](octets[..<cut])) }
    receive([UInt8](octets[cut...]))
  }

  private func decode(_ raw: RawMessage, _ rules: UpdateRules) {
    do throws(MessageError) {
      let decoded = try Message.decode(raw, rules: rules)
      precondition(decoded.message.type == raw.type, "another type")
      switch decoded.message {
      case .update(let update):
        precondition(
          !decoded.faults.contains { $0.severity == .treatAsWithdraw } || update.announced.isEmpty,
          "announces what is to be withdrawn")
      case .notification(let notification): precondition(!"\(notification)".isEmpty, "no description")
      case .open, .keepalive, .routeRefresh: break
      }
    } catch {
      precondition(!error.reason.isEmpty, "no reason")
    }
  }

  private mutating func receive(_ octets: [UInt8]) {
    var stream = octets[...]
    do throws(MessageError) {
      while let raw = try framer.next(from: &stream) {
        precondition(
          raw.body.count + Limits.headerLength <= Limits.maximumMessageLength, "too long a message")
      }
      precondition(stream.isEmpty && framer.pendingCount < Limits.maximumMessageLength, "keeps too much")
    } catch {
      framer = Framer()
    }
    handle(.received(octets))
  }

  private mutating func announce(_ input: inout Input, count: Int) {
    let prefixes = (0..<count).map { number in
      IPv4Prefix(IPv4Address(number: UInt32(number) << 20), length: UInt8(input.byte() % 33))
    }
    handle(.announce(prefixes))
  }

  /// What is sent is well-formed and whole; a session in Idle has no connection and no peer.
  private mutating func handle(_ event: SessionEvent) {
    for effect in session.handle(event) {
      switch effect {
      case .send(let octets):
        precondition(octets.count <= Limits.maximumMessageLength, "sends too long a message")
        precondition(isWellFormed(octets), "sends what it would refuse")
      case .arm(_, let milliseconds): precondition(milliseconds > 0, "a timer without time")
      case .report(let text): precondition(!text.isEmpty, "reports nothing")
      case .connect, .close, .disarm, .changed: break
      }
    }
    precondition((session.lastError ?? "").count <= Limits.maximumErrorTextLength, "too long an error")
    precondition(
      session.state != .idle || session.peer == nil && session.announcedCount == 0, "Idle has a peer")
  }

  private func isWellFormed(_ octets: [UInt8]) -> Bool {
    var framer = Framer()
    var stream = octets[...]
    guard let raw = try? framer.next(from: &stream), stream.isEmpty else { return false }
    return [false, true].contains { fourOctetAS in
      let rules = UpdateRules(fourOctetAS: fourOctetAS, isInternal: session.configuration.isInternal)
      return (try? Message.decode(raw, rules: rules))?.faults.isEmpty ?? false
    }
  }
}
