/// A NOTIFICATION: why a connection ends (RFC 4271 §4.5).
///
///     +---------------+---------------+------------------- - -
///     |  Error code   | Error subcode |   Data (variable)
///     +---------------+---------------+------------------- - -
public struct NotificationMessage: Hashable, Sendable {
  /// The class of the error; unknown ones are kept.
  public var code: UInt8
  /// The error within its class.
  public var subcode: UInt8
  /// What the error was found in, or a shutdown text.
  public var data: [UInt8]

  /// Joins the three fields.
  public init(code: UInt8, subcode: UInt8, data: [UInt8]) {
    self.code = code
    self.subcode = subcode
    self.data = data
  }

  /// Cease with Administrative Shutdown and a text for the operator on the other side (RFC 9003).
  ///
  /// The text is cut after a whole character so that it takes at most 128 octets.
  public static func administrativeShutdown(_ text: String) -> NotificationMessage {
    var octets: [UInt8] = []
    for character in text {
      let next = Array(String(character).utf8)
      guard octets.count + next.count <= Limits.sentShutdownTextLength else { break }
      octets += next
    }
    return NotificationMessage(
      code: ErrorCode.cease.rawValue, subcode: 2, data: [UInt8(octets.count)] + octets)
  }

  /// Finite State Machine Error: a message that its state does not expect, or a timer without one (RFC 6608 §4).
  static func finiteStateMachine(_ type: MessageType?, in state: SessionState) -> NotificationMessage {
    let code = ErrorCode.finiteStateMachine.rawValue
    guard let type else { return NotificationMessage(code: code, subcode: 0, data: []) }
    let subcode: UInt8 =
      switch state {
      case .openSent: 1
      case .openConfirm: 2
      case .established: 3
      case .idle, .connect, .active: 0
      }
    return NotificationMessage(code: code, subcode: subcode, data: [type.rawValue])
  }

  /// The peer's shutdown text, if this is an Administrative Shutdown or Reset that has one (RFC 9003 §2).
  ///
  /// Control characters become U+FFFD, so that a peer cannot write lines of its own into a log.
  public var shutdownText: String? {
    guard code == ErrorCode.cease.rawValue, subcode == 2 || subcode == 4, let length = data.first,
      length > 0, data.count > Int(length),
      let text = String(validating: data[1...Int(length)], as: UTF8.self)
    else { return nil }
    let scalars = text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{fffd}" : $0 }
    return String(String.UnicodeScalarView(scalars))
  }

  init(body: [UInt8]) throws(MessageError) {
    guard body.count >= 2 else {
      throw MessageError(.messageHeader, 2, reason: "a NOTIFICATION without code and subcode")
    }
    code = body[0]
    subcode = body[1]
    data = Array(body[2...])
  }

  var body: [UInt8] { [code, subcode] + data }
}

extension NotificationMessage: CustomStringConvertible {
  /// `Cease (6), Administrative Shutdown (2): "maintenance"`.
  public var description: String {
    guard let known = ErrorCode(rawValue: code) else { return "error code \(code), subcode \(subcode)" }
    let names = known.subcodeNames
    let detail = Int(subcode) < names.count ? names[Int(subcode)] : "subcode"
    let text = shutdownText.map { ": \"\($0)\"" } ?? ""
    return "\(known.name) (\(code)), \(detail) (\(subcode))\(text)"
  }
}
