/// Why a journal cannot be opened, read or written; nothing of a journal that fails is used.
public struct JournalError: Error, Hashable, Sendable {
  /// Of what sort the failure is.
  public enum Code: String, Hashable, Sendable {
    /// Another process has the file.
    case locked
    /// The file is not what was written.
    case corrupt
    /// The file was written by another version of Ananta.
    case wrongVersion
    /// The file system is full.
    case full
    /// The file system does not take the write for another reason.
    case cannotWrite
    /// The file cannot be opened or created.
    case cannotOpen
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
}

extension JournalError: CustomStringConvertible {
  /// One sentence that says what and what to do.
  public var description: String {
    switch code {
    case .locked: "\(path) is in use by another process (\(detail)); stop the other manager first"
    case .corrupt:
      "\(path) is damaged: \(detail); restore it from a backup, or move it away and apply all manifests again"
    case .wrongVersion: "\(path) was written by another version: \(detail); run that version"
    case .full: "\(path) cannot grow, since its file system is full (\(detail)); make room and try again"
    case .cannotWrite: "\(path) cannot be written: \(detail); check the disk and its permissions"
    case .cannotOpen:
      "\(path) cannot be opened: \(detail); check that its directory exists and may be written to"
    }
  }
}
