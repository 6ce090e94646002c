/// Writes that are to be synced together.
public struct WriteBatch: Codable, Hashable, Sendable {
  /// To be confirmed by `Input.persisted`.
  public var id: WriteID
  /// In order.
  public var writes: [Write]

  /// Joins the two.
  public init(id: WriteID, writes: [Write]) {
    self.id = id
    self.writes = writes
  }
}

/// Why a request was not carried out.
public enum Refusal: Error, Hashable, Sendable {
  /// Another replica leads, perhaps this one; nothing has happened.
  case notLeader(ReplicaID?)
  /// Too much is under way, or an earlier change is; try again in a moment. Nothing has happened.
  case retryLater
  /// The command is longer than `Limits.commandBytes`. Nothing has happened.
  case tooLarge
  /// The log has no room until the program gives the snapshot it was asked for. Nothing has happened.
  case logFull
  /// The replica to be added has not caught up, or has not been heard of; start it, and wait. Nothing has
  /// happened.
  case notCaughtUp
  /// The change would change nothing, or leave no voter or too many; nor can a replica without a vote lead.
  case pointless
  /// The leader was deposed while the proposal was under way: it may take effect, or not.
  case uncertain
}

/// What a replica wants done, in this order.
public enum Output: Hashable, Sendable {
  /// To be written and synced, then confirmed.
  case persist(WriteBatch)
  /// To be sent; may be lost.
  case send(Envelope)
  /// The next entry for the program.
  case apply(Slot, Entry)
  /// The program's state, in place of what it has.
  case install(Snapshot)
  /// A snapshot is due, at the newest entry applied.
  case snapshotWanted
  /// A proposal or a change is chosen, and durable on a majority.
  case committed(RequestID, Slot)
  /// A read may be answered from the program's state, which holds all entries up to this slot.
  case readable(RequestID, at: Slot)
  /// A request was not carried out.
  case refused(RequestID, Refusal)
  /// This replica leads with this ballot, and has applied all that was chosen before.
  case leading(Ballot)
  /// This replica does not lead any more.
  case deposed
  /// A message was not looked at.
  case rejected(from: ReplicaID, Envelope.Rejection)
}
