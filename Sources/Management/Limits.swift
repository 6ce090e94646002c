/// The most of everything that a replica has under way.
enum Limits {
  /// Entries of one write to disk: more would make the first of them wait for the last.
  static let entriesPerBatch = 512
  /// Entries between two snapshots of the log: reading so many at a start takes about a second.
  static let entriesPerSnapshot = 10_000
  /// Progress that an operator has not read yet: only the newest counts.
  static let progressPerWait = 4
  /// Between two ticks of the manager's clock.
  static let tick = Duration.seconds(1)
}
