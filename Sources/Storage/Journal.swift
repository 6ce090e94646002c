public import Control
import Foundation
import GRDB
public import Manager

/// A manager's log in one SQLite file: what was acknowledged is there after a crash, and what is damaged is
/// not used.
///
/// One process has the file, and keeps it locked while it runs. Each append is one transaction and one
/// `fsync`: in WAL mode `synchronous=FULL` syncs the write-ahead log before a commit returns (`EXTRA` adds
/// only the directory of a rollback journal, which WAL mode does not have).
public final class Journal: Sendable {
  /// The file.
  public let path: String
  /// Made at random when the file was created: two data centres never have the same.
  public let cluster: String
  private let database: DatabaseQueue

  /// What a journal holds, put together.
  public struct Recovery: Sendable {
    /// The snapshot with the entries after it applied.
    public let state: ManagerState
    /// Greater than any before; made durable.
    public let epoch: Epoch
    /// How many entries were applied after the snapshot.
    public let replayed: Int
  }

  /// Opens the file, or creates it with nothing in it.
  public init(path: String) throws(JournalError) {
    self.path = path
    var configuration = Configuration()
    configuration.busyMode = .immediateError
    configuration.label = "ananta.journal"
    configuration.prepareDatabase { database in
      try database.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
      try database.execute(sql: "PRAGMA journal_mode = WAL")
      try database.execute(sql: "PRAGMA synchronous = FULL")
    }
    (database, cluster) = try Self.translating(path, opening: true) {
      let database = try DatabaseQueue(path: path, configuration: configuration)
      let cluster = try database.write { database in
        try JournalTables.create(in: database, cluster: UUID().uuidString, path: path)
        return try JournalTables.head(in: database, path: path).cluster
      }
      return (database, cluster)
    }
  }

  /// Reads all, checks all, and begins a new epoch.
  public func recoverNow() throws(JournalError) -> Recovery {
    try Self.translating(path) { try database.write { try Self.recover($0, path) } }
  }

  /// Appends entries in order, all or none, and returns their revisions when they are durable.
  public func record(_ entries: [Entry]) throws(JournalError) -> [Revision] {
    let path = path
    let first = try Self.translating(path) { try database.write { try Self.record(entries, $0, path) } }
    return entries.indices.map { Revision(first.number + UInt64($0)) }
  }

  /// Keeps a state in place of the entries up to its revision.
  public func shorten(to state: ManagerState) throws(JournalError) {
    try Self.translating(path) { try database.write { try Self.shorten($0, state, path) } }
  }

  /// Closes the file; the journal cannot be used after it.
  public func close() throws(JournalError) {
    try Self.translating(path) { try database.close() }
  }

  // MARK: Transactions

  private static func recover(_ database: Database, _ path: String) throws -> Recovery {
    if let fault = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)"), fault != "ok" {
      throw JournalError(.corrupt, path: path, detail: fault)
    }
    var head = try JournalTables.head(in: database, path: path)
    var (state, chain) = try JournalTables.snapshot(in: database, path: path)
    let base = state.revision.number
    let rows = try Row.fetchCursor(
      database, sql: "SELECT revision, epoch, entry, checksum FROM log ORDER BY revision")
    while let row = try rows.next() {
      let entry = try JournalTables.entry(in: row, after: state.revision, chain: &chain, path: path)
      _ = state.apply(entry, at: Revision(state.revision.number + 1))
    }
    guard head.revision == state.revision.number, head.chain == chain else {
      throw JournalError(
        .corrupt, path: path,
        detail: "its entries end at revision \(state.revision.number), and \(head.revision) were acknowledged"
      )
    }
    head.epoch += 1
    try JournalTables.update(head, in: database)
    return Recovery(state: state, epoch: Epoch(head.epoch), replayed: Int(state.revision.number - base))
  }

  private static func record(_ entries: [Entry], _ database: Database, _ path: String) throws -> Revision {
    var head = try JournalTables.head(in: database, path: path)
    let first = Revision(head.revision + 1)
    for entry in entries { try JournalTables.insert(entry, head: &head, in: database) }
    try JournalTables.update(head, in: database)
    return first
  }

  private static func shorten(_ database: Database, _ state: ManagerState, _ path: String) throws {
    let revision = Int64(state.revision.number)
    let chain = try UInt32.fetchOne(
      database, sql: "SELECT checksum FROM log WHERE revision = ?", arguments: [revision])
    guard let chain else {
      throw JournalError(.corrupt, path: path, detail: "revision \(revision) is not among its entries")
    }
    try JournalTables.replaceSnapshot(state, chain: chain, in: database)
    try database.execute(sql: "DELETE FROM log WHERE revision <= ?", arguments: [revision])
  }

  // MARK: Errors

  private static func translating<Value>(
    _ path: String, opening: Bool = false, _ body: () throws -> Value
  ) throws(JournalError) -> Value {
    do {
      return try body()
    } catch let error as JournalError {
      throw error
    } catch let error as DatabaseError {
      throw JournalError(code(of: error, opening: opening), path: path, detail: detail(of: error))
    } catch {
      throw JournalError(.corrupt, path: path, detail: "\(error)")
    }
  }

  private static func code(of error: DatabaseError, opening: Bool) -> JournalError.Code {
    switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED: .locked
    case .SQLITE_FULL: .full
    case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT, .SQLITE_MISMATCH, .SQLITE_ERROR: .corrupt
    default: opening ? .cannotOpen : .cannotWrite
    }
  }

  private static func detail(of error: DatabaseError) -> String {
    error.message ?? "SQLite's error \(error.extendedResultCode.rawValue)"
  }
}

extension Journal: ReplicatedLog {
  /// Reads all, checks all, and begins a new epoch.
  public func recover() async throws -> (state: ManagerState, epoch: Epoch?) {
    let recovery = try recoverNow()
    return (recovery.state, recovery.epoch)
  }

  /// Appends entries in order, all or none, and returns the revision of the first when all are durable.
  public func append(_ entries: [Entry]) async throws(LogError) -> Revision {
    let path = path
    return try await writing { database in try Self.record(entries, database, path) }
  }

  /// Keeps this state in place of the entries up to its revision.
  public func compact(_ state: ManagerState) async throws(LogError) {
    let path = path
    try await writing { database in try Self.shorten(database, state, path) }
  }

  /// Runs a transaction on the database's own queue, so that no thread of the concurrency pool waits for the
  /// disk.
  private func writing<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(LogError) -> Value {
    let result: Result<Value, any Error>
    do {
      result = .success(try await database.write(body))
    } catch {
      result = .failure(error)
    }
    do throws(JournalError) {
      return try Self.translating(path) { try result.get() }
    } catch {
      throw .cannotWrite(reason: error.description)
    }
  }
}
