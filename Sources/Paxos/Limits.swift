/// The most of everything that a replica keeps, sends or takes, with the reason.
public enum Limits {
  /// The version of messages; others are refused.
  public static let version: UInt16 = 1
  /// Slots a leader proposes ahead of those it knows to be chosen, and after which a change of the membership
  /// is in force.
  ///
  /// The α of "Paxos Made Simple" §3; part of the log's meaning, so a constant. At 1 ms a round trip 64
  /// slots in flight are 64,000 entries a second, and a change costs at most 63 empty entries.
  public static let window = 64
  /// Slots an acceptor takes ahead of those it knows to be chosen.
  ///
  /// A leader's window, and as much again for what the acceptor has not heard yet. What lies further on is
  /// refused until it has caught up, so its tail is bounded.
  public static let acceptorWindow = 2 * window
  /// Voters; more than 7 make every write slower and none safer (the manager runs 1, 3 or 5, and one more in
  /// a change).
  public static let voters = 7
  /// Octets of one command: a manifest with all of a large lab in it is 4 MiB.
  public static let commandBytes = 4 << 20
  /// Octets of entries in one message; one command of the full size fits.
  public static let messageBytes = commandBytes
  /// Octets of entries that a leader has under way: four full messages, and 64 slots of ordinary commands.
  public static let windowBytes = 4 * messageBytes
  /// Entries in one message.
  public static let messageEntries = 2 * window
  /// Proposals that wait for a place in the window; what comes on top is told to try again.
  public static let queuedProposals = 1024
  /// Octets of those.
  public static let queuedBytes = 32 << 20
  /// Batches of writes that the disk has not confirmed: beyond that, messages that would cause another are
  /// dropped, as if lost; a disk that stalls for minutes must not fill the memory.
  public static let unconfirmedBatches = 1024
  /// Messages that wait for the disk; those beyond are dropped, as if lost.
  public static let waitingMessages = 4096
  /// Entries kept below a snapshot, so that a replica that was away for a moment needs no snapshot.
  public static let retainedEntries = 256
  /// Octets of those: sixteen commands of the full size.
  public static let retainedBytes = 64 << 20
  /// Octets of entries after which the program is asked for a snapshot, however few they are.
  public static let snapshotLogBytes = 64 << 20
  /// Octets of entries above the last snapshot beyond which a leader takes no proposals.
  public static let logBytes = 512 << 20
  /// Entries above the last snapshot beyond which a leader takes no proposals: the program has not taken the
  /// snapshot it was asked for.
  public static let logEntries = 65_536
  /// Octets of a snapshot: 20,000 endpoints are about 10 MB.
  public static let snapshotBytes = 128 << 20
  /// Octets of a snapshot in one message, a quarter of what gRPC takes by default.
  public static let chunkBytes = 1 << 20
  /// Replicas without a vote whose progress is remembered.
  public static let learners = 8
  /// Entries by which a replica may lag when it is given a vote: one window.
  public static let joiningLag = window
  /// The greatest round and slot that are believed: at a million a second they last 146,000 years, and no sum
  /// overflows.
  public static let greatestNumber: UInt64 = 1 << 62
}
