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

/// A timer of a session; the shell keeps the clock.
public enum SessionTimer: Sendable, CaseIterable {
  /// Limits one attempt to connect (RFC 4271 §8.1.3).
  case connectRetry
  /// Ends a session in which nothing is heard.
  case hold
  /// Says when we must be heard.
  case keepalive
  /// Between an end and the next automatic start (RFC 4271 §8.1.3, IdleHoldTimer).
  case idleHold
}

/// What the shell has to do, in this order.
public enum SessionEffect: Hashable, Sendable {
  /// Begin to connect; answer with `connected` or `connectionFailed`.
  case connect
  /// Give up the connection or the attempt, after what was sent has gone out; no event of it may follow.
  case close
  /// Write octets to the connection.
  case send([UInt8])
  /// Start or restart a timer.
  case arm(SessionTimer, milliseconds: Int)
  /// Stop a timer.
  case disarm(SessionTimer)
  /// The session is in a new state.
  case changed(SessionState)
  /// A sentence for the operator's log.
  case report(String)
}

/// The states of RFC 4271 §8.2.2.
public enum SessionState: String, Sendable, CaseIterable {
  case idle
  case connect
  case active
  case openSent
  case openConfirm
  case established
}
