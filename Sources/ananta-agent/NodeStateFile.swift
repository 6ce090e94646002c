internal import Control
internal import Foundation
internal import Logging
internal import Transport

/// What a node goes on with after a restart while no manager answers, on disk: a snapshot, and behind it what has
/// happened since.
///
/// ```
///  bits      1       31       32      8 × length
///         synced │ length │ sum of │ a `NodeRecord`  …
///                │        │ record │
/// ```
/// Numbers have their lowest octet first, so the flag is the highest bit of the fourth.
/// A record is appended for each update, so that one lease costs a hundred octets and not the megabytes of the whole.
/// The file is replaced as a whole by a manager's snapshot, and when what was appended outgrows the rest. When the
/// machine dies, records that were not synced may be cut off, full of zeros or missing in any order: the first that
/// cannot be read ends the file, unless a synced one lies behind it, before which all was on the disk. Then the file is
/// damaged. What cannot be read is put aside and named: what matters is in the managers' log.
struct NodeStateFile: ~Copyable {
  /// Until the file is worth being written anew.
  static let leastJournal = 1 << 20
  /// Before each record.
  private static let headerBytes = 8

  /// In a header's length: the record was synced, and all before it.
  private static let synced: UInt32 = 1 << 31

  private let url: URL
  /// Where a release before this one kept its `NodeState`.
  private let oldURL: URL
  private let logger: Logger
  private var handle: FileHandle?
  /// Octets that one snapshot would take, and those behind it.
  private var snapshotBytes = 0
  private var journalBytes = 0
  /// Why the file does not hold what the node knows; nil when it does.
  private(set) var fault: String?

  init(directory: String, logger: Logger) {
    url = URL(filePath: directory).appending(path: "node-state.journal")
    oldURL = URL(filePath: directory).appending(path: "node-state.json")
    self.logger = logger
  }

  /// The state, or nil when there is none that can be used.
  mutating func load() -> KeptState? {
    guard let data = try? Data(contentsOf: url) else { return loadOld() }
    var kept = KeptState()
    let end: Int
    do {
      let (records, length) = try Self.records(in: data)
      guard !records.isEmpty else { return nil }
      for record in records { kept.take(record) }
      end = length
    } catch {
      putAside(url, error)
      return nil
    }
    // Nothing may be written behind what is broken off.
    if end < data.count {
      save(kept)
    } else {
      do { try resume(at: end) } catch { note(error) }
    }
    return kept
  }

  /// What an agent before this one has left, whose place the journal takes.
  private mutating func loadOld() -> KeptState? {
    guard let data = try? Data(contentsOf: oldURL) else { return nil }
    do {
      let state = try JSONDecoder().decode(NodeState.self, from: data)
      var kept = KeptState()
      _ = kept.apply(
        Update(epoch: state.epoch, revision: state.revision, isSnapshot: true, commands: state.commands))
      save(kept)
      if fault == nil { try? FileManager.default.removeItem(at: oldURL) }
      return kept
    } catch {
      putAside(oldURL, error)
      return nil
    }
  }

  private func putAside(_ file: URL, _ error: any Error) {
    let aside = file.appendingPathExtension("unreadable")
    try? FileManager.default.removeItem(at: aside)
    try? FileManager.default.moveItem(at: file, to: aside)
    logger.warning(
      "the last state cannot be read; waiting for a manager",
      metadata: ["file": "\(aside.path)", "error": "\(error)"])
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
      let octets = try Self.framed(record, isSynced: isDurable)
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
      for record in kept.records { data += try Self.framed(record, isSynced: true) }
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
  private static func framed(_ record: NodeRecord, isSynced: Bool) throws -> Data {
    let octets = try record.octets
    var data = Data(capacity: headerBytes + octets.count)
    for number in [UInt32(octets.count) | (isSynced ? synced : 0), sum(octets)] {
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
    while end < octets.count {
      guard let (record, _) = frame(octets, at: end) else {
        guard !hasSynced(octets, behind: end) else {
          throw MalformedMessage(field: "record", reason: "it is damaged, and was synced")
        }
        break
      }
      records.append(try NodeRecord(octets: Array(octets[record])))
      end = record.upperBound
    }
    return (records, end)
  }

  /// Where the record lies whose header is here; nil when it is not whole.
  private static func frame(_ octets: [UInt8], at start: Int) -> (record: Range<Int>, isSynced: Bool)? {
    guard octets.count - start >= headerBytes else { return nil }
    let header = number(octets, at: start)
    let (first, length) = (start + headerBytes, Int(header & ~synced))
    guard length <= octets.count - first else { return nil }
    let record = first..<first + length
    return sum(octets[record]) == number(octets, at: start + 4) ? (record, header & synced != 0) : nil
  }

  /// Whether a synced record begins behind this place, wherever: what says how long the broken one is may be broken.
  private static func hasSynced(_ octets: [UInt8], behind place: Int) -> Bool {
    var start = place + 1
    while octets.count - start > headerBytes {
      if octets[start + 3] & 0x80 != 0, frame(octets, at: start)?.isSynced == true { return true }
      start += 1
    }
    return false
  }

  private static func number(_ octets: [UInt8], at offset: Int) -> UInt32 {
    (0..<4).reduce(0) { $0 | UInt32(octets[offset + $1]) << UInt32(8 * $1) }
  }

  /// FNV-1a, of 32 bits.
  private static func sum(_ octets: some Sequence<UInt8>) -> UInt32 {
    octets.reduce(0x811c_9dc5) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
  }
}
