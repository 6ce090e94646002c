internal import GRDB

/// Why a store cannot be opened, read or written; nothing of a store that fails is used.
public struct StoreError: Error, Hashable, Sendable {
  /// Of what sort the failure is.
  public enum Code: String, Hashable, Sendable {
    /// Another process has the file, or another store of this one.
    case locked
    /// The file is not a store's; it was not touched.
    case foreign
    /// The file is not what was written, or lacks something that was.
    case corrupt
    /// The file was written by another version of Ananta.
    case wrongVersion
    /// The file system is full; nothing has happened.
    case full
    /// The file system does not take the write for another reason; the store takes no more.
    case cannotWrite
    /// The file cannot be opened or created.
    case cannotOpen
    /// It belongs to a cluster already; nothing has happened.
    case founded
    /// What it is to be founded with belongs to another replica; nothing has happened.
    case anotherReplica
  }
  /// Of what sort the failure is.
  public let code: Code
  /// The file.
  public let path: String
  /// What was found.
  public let detail: String

  /// Describes a failure.
  public init(_ code: Code, path: String, detail: String) {
    self.code = code
    self.path = path
    self.detail = detail
  }

  /// Whether a store that failed so takes no more: all but those failures before which nothing has happened.
  var isFinal: Bool {
    switch code {
    case .full, .founded, .anotherReplica: false
    default: true
    }
  }
}

extension StoreError: CustomStringConvertible {
  /// One sentence that says what and what to do.
  public var description: String {
    switch code {
    case .locked: "\(path) is in use (\(detail)); stop the other manager first"
    case .foreign:
      "\(path) is not a replica's disk: \(detail); name another file, or move this one away"
    case .corrupt:
      """
      \(path) is damaged: \(detail); do not restore it, since an old one has forgotten promises: move it and \
      \(path)-* away, start anew, and have the new replica added and the old one removed
      """
    case .wrongVersion: "\(path) was written by another version: \(detail); run that version"
    case .full: "\(path) cannot grow, since its file system is full (\(detail)); make room and start again"
    case .cannotWrite: "\(path) cannot be written: \(detail); check the disk, and start again"
    case .cannotOpen:
      "\(path) cannot be opened: \(detail); check that its directory exists and may be written to"
    case .founded: "\(path) belongs to a cluster already: \(detail); use an empty disk for another one"
    case .anotherReplica: "\(path) is another replica's disk: \(detail); found it under its own identifier"
    }
  }
}

extension StoreError {
  /// Runs what SQLite may refuse.
  static func translating<Value>(
    _ path: String, opening: Bool = false, _ body: () throws -> Value
  ) throws(StoreError) -> Value {
    do {
      return try body()
    } catch let error as StoreError {
      throw error
    } catch let error as DatabaseError {
      let detail = error.message ?? "SQLite's error \(error.extendedResultCode.rawValue)"
      throw StoreError(code(of: error, opening: opening), path: path, detail: detail)
    } catch {
      throw StoreError(.corrupt, path: path, detail: "\(error)")
    }
  }

  private static func code(of error: DatabaseError, opening: Bool) -> Code {
    switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED: .locked
    case .SQLITE_FULL: .full
    case .SQLITE_NOTADB: opening ? .foreign : .corrupt
    case .SQLITE_CORRUPT, .SQLITE_FORMAT, .SQLITE_MISMATCH, .SQLITE_ERROR, .SQLITE_CONSTRAINT: .corrupt
    default: opening ? .cannotOpen : .cannotWrite
    }
  }
}
