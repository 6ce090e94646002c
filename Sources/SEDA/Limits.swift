/// The most of everything that the stages hold, and why.
enum Limits {
  /// Workers of the shared pool: the manager is bound by its disk and by one primary; 64 works under way keep a
  /// batch of the log full, and more threads only add switches (SEDA §2.1).
  static let workers = 64
  /// Works in one queue: at 1 ms each a queue of this length is a minute of work, longer than any age allowed.
  static let queueCapacity = 65_536
  /// How long a work may wait, microseconds: ten minutes, far beyond any caller's deadline.
  static let ageMicroseconds: UInt64 = 600_000_000
  /// What a full share is, in the unit of shares.
  static let fullShare = 1_000
  /// Credit that a rank may save up: two turns, so that a due rank loses nothing while another due one goes first,
  /// and cannot save for a burst.
  static let savedShare = 2 * fullShare
  /// The interval between two works of a queue until it was measured, microseconds: one durable write of a disk.
  static let firstIntervalMicroseconds: UInt64 = 10_000
  /// The longest interval that counts as measured, microseconds: a disk that froze for two minutes (Ananta §6)
  /// says little about the minute after.
  static let intervalMicroseconds: UInt64 = 10_000_000
  /// The weight of the past in the measured interval: 7/8, as for round trips (RFC 6298 §2).
  static let intervalWeight: UInt64 = 8
  /// The soonest that shed work is asked to come again, microseconds: a round trip and a durable write, below
  /// which the answer costs more than the work.
  static let leastRetryMicroseconds: UInt64 = 10_000
  /// The latest that shed work is asked to come again, microseconds: half a minute, after which what was known of
  /// the load is worth nothing.
  static let mostRetryMicroseconds: UInt64 = 30_000_000
}
