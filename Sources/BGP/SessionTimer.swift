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
