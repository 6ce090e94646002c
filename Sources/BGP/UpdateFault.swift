/// What an UPDATE is read against: facts of the session it came by.
public struct UpdateRules: Hashable, Sendable {
  /// Both OPENs had the four-octet AS capability (RFC 6793).
  public var fourOctetAS: Bool
  /// The peer is in our own AS.
  public var isInternal: Bool

  /// Joins the facts.
  public init(fourOctetAS: Bool, isInternal: Bool) {
    self.fourOctetAS = fourOctetAS
    self.isInternal = isInternal
  }
}

/// How much a fault of an UPDATE costs, mildest first (RFC 7606 §2).
public enum UpdateSeverity: Int, Comparable, Sendable, CaseIterable {
  /// The attribute is dropped, the routes stay.
  case attributeDiscard
  /// The routes of the message count as withdrawn.
  case treatAsWithdraw
  /// The address family is of no use for the rest of the session.
  case disableAddressFamily
  /// The session ends with a NOTIFICATION.
  case sessionReset

  /// Orders by severity.
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// A fault of an UPDATE that does not end the session.
public struct UpdateFault: Hashable, Sendable {
  /// What has to be done about it.
  public var severity: UpdateSeverity
  /// What RFC 4271 §6.3 would have sent.
  public var error: MessageError

  init(_ severity: UpdateSeverity, _ error: MessageError) {
    self.severity = severity
    self.error = error
  }
}
