/// Something a peer sent that breaks the protocol, with the NOTIFICATION that RFC 4271 §6 wants for it.
public struct MessageError: Error, Hashable, Sendable {
  /// What goes to the peer: code, subcode, data.
  public let notification: NotificationMessage
  /// What goes to the operator, in words.
  public let reason: String

  /// Describes an error by the fields of its NOTIFICATION.
  public init(_ code: ErrorCode, _ subcode: UInt8, _ data: [UInt8] = [], reason: String) {
    notification = NotificationMessage(code: code.rawValue, subcode: subcode, data: data)
    self.reason = reason
  }
}
