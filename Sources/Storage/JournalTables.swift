import Control
import Foundation
import GRDB
import Manager

/// The journal's tables and how their rows are read, written and checked.
///
/// Each entry's checksum goes on from that of the one before, and the head keeps the last: an entry that is
/// changed, missing, or in another place is found, also at the end.
enum JournalTables {
  /// Of the tables and what is in them; a file with another is refused.
  static let format: Int64 = 1

  /// The one row that says where the journal stands.
  struct Head {
    var format: Int64
    var cluster: String
    var epoch: UInt64
    var revision: UInt64
    var chain: UInt32

    /// Over all that it says.
    var checksum: UInt32 {
      var crc = CRC32C()
      crc.add(UInt64(bitPattern: format))
      crc.add(cluster.utf8)
      crc.add(epoch)
      crc.add(revision)
      crc.add(UInt64(chain))
      return crc.value
    }
  }

  /// Makes the tables of a new file; a file that has them is left as it is.
  static func create(in database: Database, cluster: String, path: String) throws {
    if try database.tableExists("head") { return }
    guard try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") == 0 else {
      throw JournalError(.corrupt, path: path, detail: "it holds other tables than a journal's")
    }
    try database.execute(
      sql: """
        CREATE TABLE head (
          id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL, cluster TEXT NOT NULL,
          epoch INTEGER NOT NULL, revision INTEGER NOT NULL, chain INTEGER NOT NULL,
          checksum INTEGER NOT NULL);
        CREATE TABLE log (
          revision INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, entry BLOB NOT NULL,
          checksum INTEGER NOT NULL);
        CREATE TABLE snapshot (
          revision INTEGER PRIMARY KEY, state BLOB NOT NULL, chain INTEGER NOT NULL,
          checksum INTEGER NOT NULL);
        """)
    try update(Head(format: format, cluster: cluster, epoch: 0, revision: 0, chain: 0), in: database)
  }

  /// Reads where the journal stands.
  static func head(in database: Database, path: String) throws -> Head {
    guard
      let row = try Row.fetchOne(
        database, sql: "SELECT format, cluster, epoch, revision, chain, checksum FROM head WHERE id = 1")
    else { throw JournalError(.corrupt, path: path, detail: "its head is missing") }
    guard let format = Int64.fromDatabaseValue(row["format"]) else {
      throw JournalError(.corrupt, path: path, detail: "its head is damaged")
    }
    guard format == Self.format else {
      throw JournalError(
        .wrongVersion, path: path, detail: "its format is \(format), and this program's is \(Self.format)")
    }
    guard let cluster = String.fromDatabaseValue(row["cluster"]),
      let epoch = UInt64.fromDatabaseValue(row["epoch"]),
      let revision = UInt64.fromDatabaseValue(row["revision"]),
      let chain = UInt32.fromDatabaseValue(row["chain"])
    else { throw JournalError(.corrupt, path: path, detail: "its head is damaged") }
    let head = Head(format: format, cluster: cluster, epoch: epoch, revision: revision, chain: chain)
    guard UInt32.fromDatabaseValue(row["checksum"]) == head.checksum else {
      throw JournalError(.corrupt, path: path, detail: "its head does not fit its checksum")
    }
    return head
  }

  /// Writes where the journal stands.
  static func update(_ head: Head, in database: Database) throws {
    try database.execute(
      sql: """
        INSERT OR REPLACE INTO head (id, format, cluster, epoch, revision, chain, checksum)
        VALUES (1, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        head.format, head.cluster, Int64(head.epoch), Int64(head.revision), Int64(head.chain),
        Int64(head.checksum),
      ])
  }

  // MARK: Entries

  /// Writes one entry after the others.
  static func insert(_ entry: Entry, head: inout Head, in database: Database) throws {
    let text = try encoder.encode(entry)
    head.revision += 1
    head.chain = chained(head.chain, revision: head.revision, epoch: head.epoch, text)
    try database.execute(
      sql: "INSERT INTO log (revision, epoch, entry, checksum) VALUES (?, ?, ?, ?)",
      arguments: [Int64(head.revision), Int64(head.epoch), text, Int64(head.chain)])
  }

  /// Reads one entry, which must be the one that follows.
  static func entry(in row: Row, after last: Revision, chain: inout UInt32, path: String) throws -> Entry {
    let expected = last.number + 1
    guard let revision = UInt64.fromDatabaseValue(row["revision"]), revision == expected else {
      throw JournalError(.corrupt, path: path, detail: "revision \(expected) is missing")
    }
    guard let epoch = UInt64.fromDatabaseValue(row["epoch"]), let text = Data.fromDatabaseValue(row["entry"]),
      case let computed = chained(chain, revision: revision, epoch: epoch, text),
      UInt32.fromDatabaseValue(row["checksum"]) == computed
    else {
      throw JournalError(.corrupt, path: path, detail: "revision \(revision) does not fit its checksum")
    }
    chain = computed
    guard let entry = try? JSONDecoder().decode(Entry.self, from: text) else {
      throw JournalError(
        .wrongVersion, path: path,
        detail: "revision \(revision) holds an entry that this program does not know")
    }
    return entry
  }

  private static func chained(_ chain: UInt32, revision: UInt64, epoch: UInt64, _ text: Data) -> UInt32 {
    var crc = CRC32C(after: chain)
    crc.add(revision)
    crc.add(epoch)
    crc.add(text)
    return crc.value
  }

  // MARK: Snapshots

  /// Reads the state from which the entries go on, and the checksum from which theirs do.
  static func snapshot(in database: Database, path: String) throws -> (state: ManagerState, chain: UInt32) {
    let rows = try Row.fetchAll(database, sql: "SELECT revision, state, chain, checksum FROM snapshot")
    guard let row = rows.first else { return (ManagerState(), 0) }
    guard rows.count == 1, let revision = UInt64.fromDatabaseValue(row["revision"]),
      let text = Data.fromDatabaseValue(row["state"]), let chain = UInt32.fromDatabaseValue(row["chain"]),
      UInt32.fromDatabaseValue(row["checksum"]) == chained(chain, revision: revision, epoch: 0, text)
    else { throw JournalError(.corrupt, path: path, detail: "its snapshot does not fit its checksum") }
    guard let snapshot = try? JSONDecoder().decode(ManagerSnapshot.self, from: text),
      snapshot.revision.number == revision
    else {
      throw JournalError(
        .wrongVersion, path: path, detail: "its snapshot holds what this program does not know")
    }
    return (ManagerState(snapshot), chain)
  }

  /// Writes a state from which the entries go on.
  static func replaceSnapshot(_ state: ManagerState, chain: UInt32, in database: Database) throws {
    let text = try encoder.encode(ManagerSnapshot(state))
    let revision = state.revision.number
    try database.execute(sql: "DELETE FROM snapshot")
    try database.execute(
      sql: "INSERT INTO snapshot (revision, state, chain, checksum) VALUES (?, ?, ?, ?)",
      arguments: [
        Int64(revision), text, Int64(chain), Int64(chained(chain, revision: revision, epoch: 0, text)),
      ])
  }

  /// Sorted keys, so that equal entries have equal texts.
  private static var encoder: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}
