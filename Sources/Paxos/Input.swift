/// A caller's name for a proposal, a change of the membership or a read; it comes back with the answer.
public struct RequestID: Codable, Hashable, Sendable {
  /// Its number.
  public var number: UInt64

  /// Names a request.
  public init(_ number: UInt64) {
    self.number = number
  }
}

/// What happens to a replica.
public enum Input: Hashable, Sendable {
  /// Time has passed; to be given several times in each interval of `Tuning.heartbeat`.
  case tick
  /// A message arrived.
  case received(Envelope)
  /// The disk has synced all batches up to this one.
  case persisted(upTo: WriteID)
  /// A command for the log.
  case propose(RequestID, [UInt8])
  /// A change of who votes.
  case reconfigure(RequestID, Membership.Change)
  /// Asks whether the program's state is the newest.
  case read(RequestID)
  /// The program's state after the entry of this slot.
  case snapshotTaken(at: Slot, state: [UInt8])
  /// Leadership shall go to another voter.
  case transfer(RequestID, to: ReplicaID)
}
