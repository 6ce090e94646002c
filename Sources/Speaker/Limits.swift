/// Every maximum of the speaker, with its reason.
enum Limits {
  /// A MUX has one or two routers; 64 is FRR's own limit for paths and keeps the poll set small.
  static let maximumNeighbors = 64
  /// The kernel's TCP_MD5SIG_MAXKEYLEN.
  static let maximumPasswordLength = 80
  /// Octets read at once: one full TCP window of a router, and short enough that no other peer waits long.
  static let readLength = 65_536
  /// Octets waiting for a peer that does not read: a dozen full tables of 65,536 prefixes. Then the peer is dead.
  static let maximumPendingOutput = 4 << 20
  /// How long a NOTIFICATION may take to reach the peer before its connection is thrown away.
  static let farewellMilliseconds = 2000
  /// Connections per neighbour that still say goodbye; reconnecting takes longer than a farewell.
  static let maximumFarewells = 4
  /// Longest sleep in `poll`; deadlines come earlier, so this only bounds a slip of the clock.
  static let maximumWaitMilliseconds = 60_000
}
