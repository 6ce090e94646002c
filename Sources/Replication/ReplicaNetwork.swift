public import Control
public import Paxos

/// What a network hears from the other managers.
public enum PeerEvent: Hashable, Sendable {
  /// A manager has introduced itself; at the start of each link, and whenever something in it has changed.
  case hello(PeerHello)
  /// A message for this replica.
  case envelope(Envelope)
  /// How another manager is; about every second.
  case status(PeerStatus)
}

/// What a replica needs of the network: the seam behind which `Transport.ReplicaLinks` stands.
///
/// The network dials every other configured manager, tells it who this one is, and refuses those whom
/// `PeerHello.refusal(of:)` objects to. It learns from hellos which link leads to which replica. Nothing waits for
/// it: what cannot be sent at once is dropped and counted, since replicas send again.
public protocol ReplicaNetwork: Sendable {
  /// How this manager introduces itself from now on; links that are open are told, or opened again.
  func introduce(_ hello: PeerHello)

  /// To whom all that is heard is given, from any thread; it never blocks. Called once, before anything is sent.
  func listen(_ hear: @escaping @Sendable (PeerEvent) -> Void)

  /// Sends a message to the replica it is addressed to; dropped when there is no link to it.
  func send(_ envelope: Envelope)

  /// Tells all other managers how this one is.
  func broadcast(_ status: PeerStatus)

  /// Messages sent and dropped, hellos refused by reason.
  func counters() -> [Counter]
}
