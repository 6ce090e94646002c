/// The most of everything that a manager keeps or has under way.
enum Limits {
  /// Entries that are not durable yet: at 100 bytes to 4 MiB each this bounds memory, and at one batch per
  /// fsync it is a few hundred milliseconds of work; what comes on top is told to try again.
  static let entriesInFlight = 4096
  /// Reports of health that are not durable yet, beside those: one of each node.
  static let healthEntriesInFlight = 1024
  /// Commands that wait for a node to acknowledge the update before: a node that is further behind is better
  /// served by a new stream with a snapshot.
  static let pendingCommandsPerNode = 20_000
  /// Operators who wait for a revision at one time.
  static let waits = 1024
  /// Health changes of one entry: a host of 64 VMs, each behind 128 endpoints, after a new stream; at 360 octets each
  /// at most they are 3 MB, and an entry of the log may have 4 MiB.
  static let healthChangesPerReport = 8192
  /// Octets of a health reason: a few words, and it is in every listing.
  static let healthReasonLength = 120
  /// How long a node may take for an update before an event says so.
  static let acknowledgementMilliseconds: UInt64 = 30_000
  /// After which a refused request may be offered again: two writes to disk and a round trip.
  static let retryMilliseconds: UInt32 = 100
  /// After which an operator may ask again to follow a revision, when too many do.
  static let waitRetryMilliseconds: UInt32 = 1000
  /// Between two rotations of the datagrams' keys.
  ///
  /// SipHash keeps its promise for far more than an hour's
  /// datagrams; a key that leaked is worth nothing after two.
  static let keyLifetimeMilliseconds: UInt64 = 3_600_000
}
