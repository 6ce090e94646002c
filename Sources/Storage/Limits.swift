/// What a store may take of its file system, with the reason.
enum Limits {
  /// Octets that the write-ahead log keeps when its content is in the file: a checkpoint is due after 1,000
  /// pages of 4 KiB, and only a large snapshot makes it longer (20,000 endpoints are 10 MB).
  static let journalBytes = 16 << 20
}
