/// What a session counts, over all its connections.
public struct SessionCounters: Hashable, Sendable {
  /// Times that the session became established.
  public internal(set) var establishments: UInt64 = 0
  /// Messages of every type that were received whole.
  public internal(set) var messagesReceived: UInt64 = 0
  /// UPDATEs among them.
  public internal(set) var updatesReceived: UInt64 = 0
  /// Prefixes that the peer announced; counted and forgotten.
  public internal(set) var prefixesReceived: UInt64 = 0
  /// Prefixes that the peer withdrew, or that counted as withdrawn.
  public internal(set) var prefixesWithdrawn: UInt64 = 0
  /// Faults of UPDATEs that did not end the session (RFC 7606).
  public internal(set) var updateFaults: UInt64 = 0
  /// Messages of every type that were sent.
  public internal(set) var messagesSent: UInt64 = 0
  /// UPDATEs among them.
  public internal(set) var updatesSent: UInt64 = 0

  /// All zero.
  public init() {}
}
