/// How a connection is protected; always said, never a default.
public enum TransportSecurity: Hashable, Sendable {
  /// Not at all; for networks that nobody else can reach.
  case plaintext
}
