import Control

/// A manager's end of one agent's stream: at most one update is under way, and what comes meanwhile is joined
/// to one.
struct NodeStream {
  let id: SessionID
  let node: String
  /// The newest revision the agent was sent, or said at the start that it runs.
  private var sent: Revision
  /// The epoch of the update it was sent last: a primary may have gone on to another when it is acknowledged.
  private var epoch: Epoch?
  private var needsSnapshot = true
  private var awaitsAcknowledgement = false
  private var pending: [Command] = []
  private var sentAt: UInt64 = 0
  private var isKnownLate = false

  /// Begins a stream; a snapshot comes first, whatever the agent runs.
  init(id: SessionID, hello: Hello) {
    self.id = id
    node = hello.node
    sent = hello.revision
  }

  /// Takes what the node has to do for a new revision; false when the node is too far behind for this.
  mutating func enqueue(_ commands: [Command]) -> Bool {
    guard !needsSnapshot else { return true }
    pending += commands
    return pending.count <= Limits.pendingCommandsPerNode
  }

  /// What is to be sent now, if anything.
  mutating func next(_ state: ManagerState, now: UInt64, snapshot: () -> [Command]) -> Update? {
    guard !awaitsAcknowledgement, needsSnapshot || sent < state.revision else { return nil }
    let isSnapshot = needsSnapshot
    let commands = isSnapshot ? snapshot() : pending
    pending = []
    needsSnapshot = false
    awaitsAcknowledgement = true
    isKnownLate = false
    sent = state.revision
    epoch = state.epoch
    sentAt = now
    return Update(epoch: state.epoch, revision: sent, isSnapshot: isSnapshot, commands: commands)
  }

  /// What a node that has been deleted is told last, even if an update is still under way: to run nothing.
  static func farewell(_ state: ManagerState) -> Update {
    Update(epoch: state.epoch, revision: state.revision, isSnapshot: true, commands: [])
  }

  /// Whether an acknowledgement belongs to what was sent on this stream.
  func isOurs(_ epoch: Epoch) -> Bool { epoch == self.epoch }

  /// The agent runs a revision; false when it was never sent.
  mutating func acknowledge(_ revision: Revision) -> Bool {
    guard revision <= sent else { return false }
    if revision == sent { awaitsAcknowledgement = false }
    return true
  }

  /// The revision the agent should have acknowledged long ago; told once for each.
  mutating func overdue(at now: UInt64) -> Revision? {
    guard awaitsAcknowledgement, !isKnownLate, now >= sentAt + Limits.acknowledgementMilliseconds else {
      return nil
    }
    isKnownLate = true
    return sent
  }
}
