/// A message with its meaning; `RawMessage` is the same as octets.
public enum Message: Hashable, Sendable {
  case open(OpenMessage)
  case update(UpdateMessage)
  case notification(NotificationMessage)
  case keepalive
  case routeRefresh(RouteRefreshMessage)

  /// The type octet.
  public var type: MessageType {
    switch self {
    case .open: .open
    case .update: .update
    case .notification: .notification
    case .keepalive: .keepalive
    case .routeRefresh: .routeRefresh
    }
  }

  /// Header and body as they go over the stream.
  ///
  /// AS numbers of an UPDATE take four octets if both sides have said so in their OPEN (RFC 6793 §4).
  public func octets(fourOctetAS: Bool) -> [UInt8] {
    let body: [UInt8] =
      switch self {
      case .open(let message): message.body
      case .update(let message): message.body(fourOctetAS: fourOctetAS)
      case .notification(let message): message.body
      case .keepalive: []
      case .routeRefresh(let message): message.body
      }
    return RawMessage(type: type, body: body).octets
  }

  /// Reads a message; milder faults of an UPDATE come back beside it, ranked as RFC 7606 wants.
  public static func decode(
    _ raw: RawMessage, rules: UpdateRules
  ) throws(MessageError) -> (message: Message, faults: [UpdateFault]) {
    switch raw.type {
    case .open: return (.open(try OpenMessage(body: raw.body)), [])
    case .update:
      let decoded = try UpdateMessage.decode(raw.body, rules: rules)
      return (.update(decoded.update), decoded.faults)
    case .notification: return (.notification(try NotificationMessage(body: raw.body)), [])
    case .keepalive: return (.keepalive, [])
    case .routeRefresh: return (.routeRefresh(try RouteRefreshMessage(body: raw.body)), [])
    }
  }
}
