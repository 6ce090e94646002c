/// The most of everything that a running manager has under way.
enum Limits {
  /// Threads that do the manager's work: two cores' worth, and as many again for what waits for the lock.
  static let workers = 4
  /// Resources beyond which a change goes behind those of operators who wait: 256 resources are judged in some
  /// milliseconds.
  static let resourcesOfBulk = 256
  /// Reads that wait for the log at one time: a lease answers at once, an election lets them gather.
  static let reads = 4096
  /// Progress that an operator has not read yet: only the newest counts.
  static let progressPerWait = 4
  /// The longest that a worker sleeps without looking, milliseconds.
  static let sleepMilliseconds = 1000
  /// Between two ticks of the manager's clock.
  static let tick = Duration.seconds(1)
  /// After which a read that found too many others may be tried again.
  static let readRetryMilliseconds: UInt32 = 200
  /// VMs of one stream that were told to wait before they ask for ports again: 64 octets each.
  static let patientMachines = 4096
  /// So much earlier than it was told to an agent may ask again.
  static let patienceMarginMilliseconds = 50
  /// Messages that wait for an agent to listen: refusals of 20 octets, and an update or two.
  static let messagesPerStream = 4096
}
