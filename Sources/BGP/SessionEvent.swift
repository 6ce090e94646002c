public import Wire

/// What can happen to a session (RFC 4271 §8.1).
public enum SessionEvent: Sendable {
  /// Event 1, ManualStart.
  case start
  /// Event 2, ManualStop; the text goes to the peer as shutdown communication (RFC 9003).
  case stop(reason: String)
  /// Events 9, 10, 11 and 13.
  case timerExpired(SessionTimer)
  /// Events 16 and 17: the connection asked for by `SessionEffect.connect` stands.
  case connected
  /// Event 18: it could not be made, or it ended; why, for the operator.
  case connectionFailed(String)
  /// Octets off the connection, of any number; events 19 to 28 are read out of them.
  case received([UInt8])
  /// The whole set of prefixes that the peer shall have; never touches the session itself.
  case announce([IPv4Prefix])
}
