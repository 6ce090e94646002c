import BGP
import Wire

/// The router on the other side of a session under test: its octets, and its way to read ours.
enum Peer {
  static let rules = UpdateRules(fourOctetAS: true, isInternal: false)

  static let configuration = SessionConfiguration(
    localAS: 65001, routerID: IPv4Address(10, 1, 1, 2), nextHop: IPv4Address(10, 1, 1, 2), remoteAS: 65000,
    holdTimeSeconds: 9, connectRetrySeconds: 5)

  static let open = OpenMessage(
    autonomousSystem: 65000, holdTimeSeconds: 90, identifier: IPv4Address(10, 1, 1, 1),
    capabilities: [.multiprotocol(.ipv4Unicast), .routeRefresh, .fourOctetAS(65000)])

  static func octets(_ message: Message) -> [UInt8] { message.octets(fourOctetAS: true) }

  /// A session led to a state by the shortest way.
  static func session(
    in state: SessionState, _ configuration: SessionConfiguration = configuration,
    open: OpenMessage = open
  ) -> Session {
    var session = Session(configuration)
    let way: [SessionEvent] =
      switch state {
      case .idle: []
      case .connect: [.start]
      case .active: [.start, .connected, .connectionFailed("reset")]
      case .openSent: [.start, .connected]
      case .openConfirm: [.start, .connected, .received(octets(.open(open)))]
      case .established:
        [.start, .connected, .received(octets(.open(open))), .received(octets(.keepalive))]
      }
    for event in way { _ = session.handle(event) }
    return session
  }

  /// Effects as lines of a transcript; messages are read back from their octets.
  static func transcript(_ effects: [SessionEffect], rules: UpdateRules = rules) -> [String] {
    effects.compactMap { effect in
      switch effect {
      case .connect: "connect"
      case .close: "close"
      case .send(let octets): "send " + describe(octets, rules)
      case .arm(let timer, let milliseconds): "arm \(timer) \(milliseconds)"
      case .disarm(let timer): "disarm \(timer)"
      case .changed(let state): "state \(state)"
      case .report: nil
      }
    }
  }

  /// The messages that effects send.
  static func sent(_ effects: [SessionEffect], rules: UpdateRules = rules) -> [Message] {
    effects.compactMap { effect in
      guard case .send(let octets) = effect else { return nil }
      return message(octets, rules)
    }
  }

  static func message(_ octets: [UInt8], _ rules: UpdateRules = rules) -> Message? {
    var framer = Framer()
    var input = octets[...]
    guard let raw = try? framer.next(from: &input), input.isEmpty else { return nil }
    return try? Message.decode(raw, rules: rules).message
  }

  private static func describe(_ octets: [UInt8], _ rules: UpdateRules) -> String {
    switch message(octets, rules) {
    case .open: "OPEN"
    case .keepalive: "KEEPALIVE"
    case .notification(let notification): "NOTIFICATION \(notification.code)/\(notification.subcode)"
    case .routeRefresh: "ROUTE-REFRESH"
    case .update(.endOfRIB): "End-of-RIB"
    case .update(let update): "UPDATE -\(update.withdrawn.count) +\(update.announced.count)"
    case nil: "garbage \(octets)"
    }
  }
}

/// Octets from hexadecimal digits; everything behind `#` on a line is a comment.
func hex(_ text: String) -> [UInt8] {
  var digits: [UInt8] = []
  for line in text.split(separator: "\n") {
    for character in line.prefix(while: { $0 != "#" }) {
      if let digit = character.hexDigitValue { digits.append(UInt8(digit)) }
    }
  }
  precondition(digits.count % 2 == 0, "odd number of hexadecimal digits")
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// /32s from 203.0.0.0 on.
func vips(_ count: Int, from first: Int = 0) -> [IPv4Prefix] {
  (first..<first + count).map {
    IPv4Prefix(IPv4Address(number: 203 << 24 + UInt32($0)), length: 32)
  }
}
