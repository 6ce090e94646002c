/// The most of everything that a running replica has under way, and its pace.
enum Limits {
  /// Messages from peers that wait to be taken up: a leader's window and the votes for it from six others, several
  /// times over; what comes on top is dropped, and sent again by whoever sent it.
  static let envelopesWaiting = 2048
  /// Octets of entries in those: as much as four leaders have under way at most.
  static let octetsWaiting = 64 << 20
  /// Entries given to the replica and not chosen yet: eight windows, so that the next is always full, and half of
  /// what the replica would queue before it refuses.
  static let entriesUnderWay = 512
  /// Octets of those; with one entry of the full size on top it is below the replica's own limit of 32 MiB.
  static let octetsUnderWay = 24 << 20
  /// Managers that are remembered: seven voters, and those whose disks were replaced lately.
  static let peers = 32
  /// Reads and changes that wait for a lease, or for an earlier change to be in force.
  static let questions = 4096
  /// For how long they do, milliseconds: an election, and a bit.
  static let questionMilliseconds: UInt64 = 2000
  /// Between two ticks, milliseconds: four in each heartbeat of a leader.
  static let tickMilliseconds = 25
  /// Between two messages about how this manager is, milliseconds.
  static let statusMilliseconds: UInt64 = 1000
  /// After which a manager that says nothing is called unreachable, milliseconds: three of those messages.
  static let silenceMilliseconds: UInt64 = 3500
  /// Between two attempts to write what a disk has refused, milliseconds: somebody has to make room first.
  static let diskRetryMilliseconds = 1000
  /// For how long a manager that ends waits for its leadership to be handed over, milliseconds.
  static let resignMilliseconds: UInt64 = 500
  /// After which a caller may ask again for what an earlier change of the managers stands in the way of.
  static let changeRetryMilliseconds: UInt32 = 500
}
