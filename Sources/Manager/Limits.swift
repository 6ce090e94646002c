/// The most of everything that a manager keeps or has under way.
enum Limits {
  /// Entries that are not durable yet: at 100 bytes to 4 MiB each this bounds memory, and at one batch per
  /// fsync it is a few hundred milliseconds of work; what comes on top is told to try again.
  static let entriesInFlight = 4096
  /// Reports of health that are not durable yet, beside those: one of each node.
  static let healthEntriesInFlight = 1024
  /// Commands that wait for a host to acknowledge the update before: one that is further behind is better served by a
  /// new stream with a snapshot.
  static let pendingCommandsPerNode = 20_000
  /// The same for a MUX, unless more ranges are leased: then a snapshot would be no less.
  ///
  /// All MUXes are told the same, and would all end their streams at once: this is eight entries of returned ranges, as
  /// come when a flood ends, and some megabytes for each MUX.
  static let pendingCommandsPerMux = 65_536
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
  /// Within which a VM that asks again for ports gets twice as many as the last time: a burst of connections, seen
  /// from here, is a row of requests a few milliseconds apart.
  static let demandMilliseconds: UInt64 = 10_000
  /// Ranges that are leased at one time: what a MUX's table holds, 130 VIPs without a free port.
  static let ranges = 1 << 20
  /// Ranges that one answer gives at most: 1,024 ports, so that one VM takes an eighth of a VIP in seven requests.
  static let rangesPerAnswer = 128
  /// Entries about ports that are not durable yet: two keep the log busy, and what comes meanwhile shares the next.
  static let portEntriesInFlight = 2
  /// Requests of one entry: at 40 octets each 40 KB.
  static let requestsPerEntry = 1024
  /// Requests that wait for the next entry: four entries, some tens of milliseconds.
  static let requestsWaiting = 4096
  /// Returned ranges that wait for the next entry, and of one entry: at 120 octets each 1 MB.
  static let returnsWaiting = 8192
  /// Requests for ports of one VM: so many at once, then ten each second.
  static let requestBurst = 20
  static let requestsPerSecond = 10
  /// Between two events about the same refusal of the same VM: a host asks again every second or so.
  static let refusalEventMilliseconds: UInt64 = 60_000
  /// After which a host asks again for a VM that asked too often: the next second has ten.
  static let rateRetryMilliseconds: UInt32 = 1000
  /// After which a host asks again for a VM at its cap: its own ports come free meanwhile.
  static let capRetryMilliseconds: UInt32 = 5000
  /// After which a host asks again when all ports are taken: idle ones come back after a minute, from many VMs.
  static let exhaustedRetryMilliseconds: UInt32 = 2000
  /// After which a host asks again for a VM that no service lets out: only an operator can change that, and the first
  /// lease comes by itself.
  static let noServiceRetryMilliseconds: UInt32 = 10_000
  /// After which a host asks again when no MUX runs, or too many ask.
  static let portRetryMilliseconds: UInt32 = 1000
  /// The log is told at most so often which leases are ripe: what it does not say, the hosts of a new primary wait for.
  static let ripeMilliseconds: UInt64 = 1000
  /// How long a node that an entry about ports does not concern may be behind by it, unless an operator waits: there
  /// are hundreds of these in a second, and up to a thousand nodes.
  static let bareRevisionMilliseconds: UInt64 = 1000
  /// How long leases wait for a MUX without a stream: one that has ended, or comes again, does so within this time.
  ///
  /// One that is cut off from managers alone goes on announcing, with what it knew, for as long as that lasts.
  static let muxSilenceMilliseconds: UInt64 = 3000
  /// How long leases wait for a MUX that acknowledges nothing: by more than this MUXes must not be apart anyway
  /// (`skewMilliseconds` of the data path).
  static let muxPatienceMilliseconds: UInt64 = 10_000
  /// How long a deleted node that is still connected has for its last acknowledgement.
  static let farewellMilliseconds: UInt64 = 5000
  /// After which ports are taken from a host whose Node is deleted and that does not answer: an operator who deletes a
  /// node has ended it, or will within ten minutes.
  static let lostNodeMilliseconds: UInt64 = 600_000
}
