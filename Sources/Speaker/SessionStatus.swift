public import BGP
public import Wire

/// What an operator wants to know of a session.
public struct SessionStatus: Hashable, Sendable {
  /// The router.
  public let peer: IPv4Address
  /// Where the session is in RFC 4271 §8.2.2.
  public let state: SessionState
  /// How long it has been there.
  public let secondsInState: Int
  /// Prefixes that the router has been sent.
  public let announced: Int
  /// Messages received since the speaker's start.
  public let messagesReceived: UInt64
  /// Times that the session became established since the speaker's start.
  public let establishments: UInt64
  /// Why the session last ended, or what last went wrong.
  public let lastError: String?
}
