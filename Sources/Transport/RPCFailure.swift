import Control
import GRPCCore

/// How errors of ours travel: a status code for gRPC's own tools, and metadata that keep the case.
enum RPCFailure {
  /// The metadata key that names the case of a `ManagementError`.
  private static let caseKey = "ananta-error"
  /// The metadata key that names the primary.
  private static let primaryKey = "ananta-primary"
  /// The metadata key that says after how many milliseconds to try again.
  private static let retryKey = "ananta-retry-after-ms"

  /// What is sent when the manager could not do what it was asked.
  static func rpcError(_ error: ManagementError) -> RPCError {
    var metadata = Metadata()
    let code: RPCError.Code
    var message = error.description
    switch error {
    case .notPrimary(let address):
      code = .failedPrecondition
      metadata.addString("not-primary", forKey: caseKey)
      if let address { metadata.addString(address, forKey: primaryKey) }
    case .overloaded(let reason, let milliseconds):
      code = .resourceExhausted
      message = reason
      metadata.addString("overloaded", forKey: caseKey)
      metadata.addString("\(milliseconds)", forKey: retryKey)
    case .unavailable:
      code = .aborted
      metadata.addString("unavailable", forKey: caseKey)
    case .uncertain:
      code = .unknown
      metadata.addString("uncertain", forKey: caseKey)
    case .refused:
      code = .failedPrecondition
      metadata.addString("refused", forKey: caseKey)
    case .forbidden:
      code = .permissionDenied
      metadata.addString("forbidden", forKey: caseKey)
    }
    return RPCError(code: code, message: message, metadata: metadata)
  }

  /// What is sent when a message was malformed: the same message will never be right.
  static func rpcError(_ error: MalformedMessage) -> RPCError {
    RPCError(code: .invalidArgument, message: error.description)
  }

  /// The manager's own error, if that is what has come.
  static func managementError(_ error: RPCError) -> ManagementError? {
    let name = error.metadata[stringValues: caseKey].first { _ in true }
    switch name {
    case "not-primary":
      return .notPrimary(address: error.metadata[stringValues: primaryKey].first { _ in true })
    case "overloaded":
      let text = error.metadata[stringValues: retryKey].first { _ in true }
      return .overloaded(
        reason: error.message,
        retryAfterMilliseconds: text.flatMap { UInt32($0) } ?? Limits.retryAfterMilliseconds)
    case "unavailable": return .unavailable(reason: error.message)
    case "uncertain": return .uncertain(reason: error.message)
    case "refused": return .refused(reason: error.message)
    case "forbidden": return .forbidden(reason: error.message)
    default: return nil
    }
  }

  /// Carries out work of a service and turns its errors into those of gRPC.
  static func translated<Result>(_ work: () async throws -> Result) async throws -> Result {
    do {
      return try await work()
    } catch let error as ManagementError {
      throw rpcError(error)
    } catch let error as MalformedMessage {
      throw rpcError(error)
    }
  }
}
