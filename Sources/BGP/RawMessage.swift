/// The type octet of a message (RFC 4271 §4.1, RFC 2918 §3).
public enum MessageType: UInt8, Sendable, CaseIterable {
  case open = 1
  case update = 2
  case notification = 3
  case keepalive = 4
  case routeRefresh = 5

  /// The smallest and largest length field of the type (RFC 4271 §6.1; RFC 2918 §3).
  var lengths: ClosedRange<Int> {
    switch self {
    case .open: 29...Limits.maximumMessageLength
    case .update: 23...Limits.maximumMessageLength
    case .notification: 21...Limits.maximumMessageLength
    case .keepalive: Limits.headerLength...Limits.headerLength
    case .routeRefresh: 23...23
    }
  }
}

/// One message as it came off the stream: type and body, the header checked and gone.
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +---------------------------------------------------------------+
///     |                    Marker, 16 octets of ones                  |
///     +-------------------------------+---------------+---------------+
///     |          Length               |      Type     |
///     +-------------------------------+---------------+
public struct RawMessage: Hashable, Sendable {
  /// What the body is.
  public let type: MessageType
  /// Everything behind the header.
  public let body: [UInt8]

  /// Joins type and body; the body fits into one message.
  public init(type: MessageType, body: [UInt8]) {
    precondition(body.count <= Limits.maximumMessageLength - Limits.headerLength, "BGP message too long")
    self.type = type
    self.body = body
  }

  /// Header and body, ready for the stream.
  public var octets: [UInt8] {
    var writer = ByteWriter()
    writer.octets([UInt8](repeating: 0xff, count: 16))
    writer.uint16(UInt16(Limits.headerLength + body.count))
    writer.uint8(type.rawValue)
    writer.octets(body)
    return writer.bytes
  }
}
