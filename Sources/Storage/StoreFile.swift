import Foundation
import GRDB

/// A store's file as SQLite sees it: whether it is a store's at all, and how it is opened.
enum StoreFile {
  /// "Anan": the octets at 68 of SQLite's file format, which tell a store from other databases.
  static let application: Int64 = 0x416e_616e
  /// Of the tables and what is in them, at 60 of SQLite's file format; a file with another is refused.
  static let format: Int64 = 1

  private static let magic = Array("SQLite format 3\u{0}".utf8)

  /// Refuses what SQLite must not be let near: it would change a database of somebody else, and make a new
  /// one where a store was lost.
  ///
  /// A header of zeros is left to SQLite: so a first start may look whose first page was not synced.
  static func check(_ path: String, isMarked: Bool) throws(StoreError) {
    let octets = FileManager.default.fileExists(atPath: path) ? try beginning(of: path) : []
    if octets.isEmpty || octets == [UInt8](repeating: 0, count: 100) {
      guard isMarked else { return }
      throw StoreError(
        .corrupt, path: path, detail: "it is empty, and the file beside it says that it was not")
    }
    let isDatabase = octets.count == 100 && Array(octets[..<16]) == magic
    let application = octets.dropFirst(68).prefix(4).reduce(Int64(0)) { $0 << 8 | Int64($1) }
    guard isDatabase, application == Self.application else {
      throw StoreError(
        isMarked ? .corrupt : .foreign, path: path,
        detail: isDatabase ? "it is the database of another program" : "its first octets are not SQLite's")
    }
  }

  /// The header of a database.
  private static func beginning(of path: String) throws(StoreError) -> [UInt8] {
    do {
      let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
      defer { try? file.close() }
      return try [UInt8](file.read(upToCount: 100) ?? Data())
    } catch {
      throw StoreError(.cannotOpen, path: path, detail: error.localizedDescription)
    }
  }

  /// Opens the file for this process alone, makes its tables if it is new, and returns what its head says.
  ///
  /// The tables are made in one transaction in SQLite's original mode, so a file has the header of a store or
  /// none. After it the write-ahead log takes over, where `synchronous=FULL` means one sync per transaction.
  static func connect(_ path: String) throws -> (DatabaseQueue, Head) {
    var configuration = Configuration()
    configuration.busyMode = .immediateError
    configuration.label = "ananta.store"
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
      try database.execute(sql: "PRAGMA synchronous = FULL")
      try database.execute(sql: "PRAGMA journal_size_limit = \(Limits.journalBytes)")
    }
    let database = try DatabaseQueue(path: path, configuration: configuration)
    let head = try database.write { database in
      let tables = StoreTables(database: database, path: path)
      try prepare(tables)
      return try tables.head()
    }
    let mode = try database.writeWithoutTransaction { database in
      try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
    }
    guard mode == "wal" else {
      throw StoreError(.cannotOpen, path: path, detail: "its file system does not take a write-ahead log")
    }
    return (database, head)
  }

  private static func prepare(_ tables: StoreTables) throws {
    let database = tables.database
    let application = try Int64.fetchOne(database, sql: "PRAGMA application_id")
    let format = try Int64.fetchOne(database, sql: "PRAGMA user_version")
    if application == 0, format == 0,
      try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM sqlite_master") == 0
    {
      try database.execute(sql: "PRAGMA application_id = \(Self.application)")
      try database.execute(sql: "PRAGMA user_version = \(Self.format)")
      return try tables.create()
    }
    guard application == Self.application else {
      throw StoreError(.foreign, path: tables.path, detail: "it is the database of another program")
    }
    guard format == Self.format else {
      let detail = "its format is \(format ?? 0), and this program's is \(Self.format)"
      throw StoreError(.wrongVersion, path: tables.path, detail: detail)
    }
  }
}
