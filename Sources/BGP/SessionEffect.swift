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
