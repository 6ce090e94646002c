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
  private(set) var needsSnapshot = true
  private(set) var isDismissed = false
  /// Ranges whose leases wait, and those in the update under way.
  private var leasesWaiting: Set<PortRange> = []
  private var leasesUnderWay: Set<PortRange> = []
  private var hasAcknowledged = false
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

  /// Takes what the node has to do for a new revision; false when more than so many commands of several revisions wait.
  mutating func enqueue(_ commands: [Command], atMost limit: Int) -> Bool {
    guard !needsSnapshot else { return true }
    let hasBacklog = !pending.isEmpty
    pending += commands
    for case .leasePortRange(let lease) in commands { leasesWaiting.insert(lease.range) }
    // What one entry tells may be more, and a snapshot would be no less.
    return !hasBacklog || pending.count <= limit
  }

  /// Whether all that could be sent is the number of a revision, and there was no news for all nodes since the last; it
  /// is sent when that is a second ago.
  func isBare(since news: Revision, at now: UInt64) -> Bool {
    !needsSnapshot && pending.isEmpty && sent >= news && now < sentAt + Limits.bareRevisionMilliseconds
  }

  /// What is to be sent now, if anything.
  mutating func next(_ state: ManagerState, now: UInt64, snapshot: () -> [Command]) -> Update? {
    guard !awaitsAcknowledgement, needsSnapshot || sent < state.revision || !pending.isEmpty else {
      return nil
    }
    let isSnapshot = needsSnapshot
    let commands = isSnapshot ? snapshot() : pending
    pending = []
    leasesUnderWay = leasesWaiting
    leasesWaiting = []
    needsSnapshot = false
    awaitsAcknowledgement = true
    isKnownLate = false
    sent = state.revision
    epoch = state.epoch
    sentAt = now
    return Update(epoch: state.epoch, revision: sent, isSnapshot: isSnapshot, commands: commands)
  }

  /// What a node that has been deleted is told last, even if an update is still under way: to run nothing.
  mutating func dismiss(_ state: ManagerState, now: UInt64) -> Update {
    isDismissed = true
    awaitsAcknowledgement = true
    sent = state.revision
    epoch = state.epoch
    sentAt = now
    return Update(epoch: state.epoch, revision: state.revision, isSnapshot: true, commands: [])
  }

  /// Whether an acknowledgement belongs to what was sent on this stream.
  func isOurs(_ epoch: Epoch) -> Bool { epoch == self.epoch }

  /// The agent runs a revision; false when it was never sent.
  mutating func acknowledge(_ revision: Revision) -> Bool {
    guard revision <= sent else { return false }
    guard revision == sent else { return true }
    awaitsAcknowledgement = false
    hasAcknowledged = true
    leasesUnderWay = []
    return true
  }

  /// Whether the node has acknowledged all that it was sent.
  var owesNothing: Bool { !awaitsAcknowledgement }

  /// Whether the node has acknowledged the newest lease of this range that it was told of.
  func hasConfirmed(_ range: PortRange) -> Bool {
    hasAcknowledged && !leasesWaiting.contains(range) && !leasesUnderWay.contains(range)
  }

  /// A node that was deleted has said that it has forgotten all.
  var isDone: Bool { isDismissed && !awaitsAcknowledgement }

  /// Whether it has had time enough to acknowledge that it forgets all.
  func isFarewellOver(at now: UInt64) -> Bool {
    isDismissed && now >= sentAt + Limits.farewellMilliseconds
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
