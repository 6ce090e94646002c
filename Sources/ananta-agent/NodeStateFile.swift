internal import Control
internal import Foundation
internal import Logging
internal import Transport

/// What a node goes on with after a restart while no manager answers, on disk: a snapshot, and behind it what has
/// happened since.
///
/// ```
///  octets    4       4          length
///         length │ sum of │ a `NodeRecord`  …
///                │ record │
/// ```
/// A record is appended for each update, so that one lease costs a hundred octets and not the megabytes of the whole.
/// The file is replaced as a whole by a manager's snapshot, and when what was appended outgrows the rest. A record that
/// was cut off when the machine died ends the file: nobody was told of it. All else that cannot be read is put aside
/// and named: what matters is in the managers' log.
struct NodeStateFile: ~Copyable {
  /// Until the file is worth being written anew.
  static let leastJournal = 1 << 20
  /// Before each record.
  private static let headerBytes = 8

  private let url: URL
  private let logger: Logger
  private var handle: FileHandle?
  /// Octets that one snapshot would take, and those behind it.
  private var snapshotBytes = 0
  private var journalBytes = 0
  /// Why the file does not hold what the node knows; nil when it does.
  private(set) var fault: String?

  init(directory: String, logger: Logger) {
    url = URL(filePath: directory).appending(path: "node-state.journal")
    self.logger = logger
  }

  /// The state, or nil when there is none that can be used.
  mutating func load() -> KeptState? {
    guard let data = try? Data(contentsOf: url) else { return nil }
    do {
      var kept = KeptState()
      let (records, end) = try Self.records(in: data)
      guard !records.isEmpty else { return nil }
      for record in records { kept.take(record) }
      // Nothing may be written behind what is broken off.
      if end == data.count { try resume(at: end) } else { save(kept) }
      return kept
    } catch {
      let aside = url.appendingPathExtension("unreadable")
      try? FileManager.default.removeItem(at: aside)
      try? FileManager.default.moveItem(at: url, to: aside)
      logger.warning(
        "the last state cannot be read; waiting for a manager",
        metadata: ["file": "\(aside.path)", "error": "\(error)"])
      return nil
    }
  }

  /// Keeps one more record; `kept` is what it leads to.
  ///
  /// - Parameters:
  ///   - record: what has happened.
  ///   - kept: is written instead when the file is broken, or takes a snapshot.
  ///   - isDurable: whether it must survive a power failure from now on.
  mutating func append(_ record: NodeRecord, leadingTo kept: KeptState, isDurable: Bool) {
    if case .update(let update) = record, update.isSnapshot { return save(kept) }
    guard fault == nil, let handle else { return save(kept) }
    do {
      let octets = try Self.framed(record)
      try handle.write(contentsOf: octets)
      journalBytes += octets.count
      if isDurable { try handle.synchronize() }
    } catch {
      note(error)
    }
  }

  /// Writes the file anew when what was appended outgrows the rest, or when it could not be written before.
  mutating func tidy(_ kept: KeptState) {
    if fault != nil || journalBytes > max(Self.leastJournal, snapshotBytes) { save(kept) }
  }

  /// Replaces the file as a whole.
  mutating func save(_ kept: KeptState) {
    do {
      var data = Data()
      for record in kept.records { data += try Self.framed(record) }
      try data.write(to: url, options: .atomic)
      // Of a file whose new name is in its directory's journal, this is also the name's.
      try resume(at: data.count)
      try handle?.synchronize()
      fault = nil
    } catch {
      note(error)
    }
  }

  private mutating func resume(at end: Int) throws {
    try? handle?.close()
    handle = nil
    let opened = try FileHandle(forWritingTo: url)
    try opened.seekToEnd()
    handle = opened
    snapshotBytes = end
    journalBytes = 0
  }

  private mutating func note(_ error: any Error) {
    if fault == nil {
      logger.warning(
        "cannot keep the last state", metadata: ["file": "\(url.path)", "error": "\(error)"])
    }
    fault = "\(url.path) cannot be written, so no order is acknowledged: \(error.localizedDescription)"
  }
}

extension NodeStateFile {
  /// The record, and before it its length and sum.
  private static func framed(_ record: NodeRecord) throws -> Data {
    let octets = try record.octets
    var data = Data(capacity: headerBytes + octets.count)
    for number in [UInt32(octets.count), sum(octets)] {
      for shift in stride(from: UInt32(0), to: 32, by: 8) {
        data.append(UInt8(truncatingIfNeeded: number >> shift))
      }
    }
    data.append(contentsOf: octets)
    return data
  }

  /// All whole records, and where they end.
  static func records(in data: Data) throws -> ([NodeRecord], end: Int) {
    let octets = [UInt8](data)
    var records: [NodeRecord] = []
    var end = 0
    while octets.count - end >= headerBytes {
      let length = Int(number(octets, at: end))
      let start = end + headerBytes
      guard length <= octets.count - start else { break }
      let record = Array(octets[start..<start + length])
      guard sum(record) == number(octets, at: end + 4) else {
        // Cut off at the end, or torn in the middle.
        guard start + length == octets.count else {
          throw MalformedMessage(field: "record", reason: "its sum is wrong")
        }
        break
      }
      records.append(try NodeRecord(octets: record))
      end = start + length
    }
    return (records, end)
  }

  private static func number(_ octets: [UInt8], at offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(octets[offset + $1]) << UInt32(8 * $1) }
  }

  /// FNV-1a, of 32 bits.
  private static func sum(_ octets: [UInt8]) -> UInt32 {
    octets.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
  }
}
