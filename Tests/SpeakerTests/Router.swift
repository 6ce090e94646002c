import Foundation

/// A BGP implementation that is not ours, in the router's namespace, in AS 65000.
protocol Router: AnyObject {
  /// Starts, or starts again after `kill`.
  func start() throws
  /// Ends it as a crash would.
  func kill()
  /// Whether the session with the MUX stands.
  func isEstablished() throws -> Bool
  /// Prefix and next hop of every route in its table.
  func routes() throws -> [String: String]
  /// What tells this connection from the one before and after.
  func connection() throws -> String
  /// What the router says of the end of the session.
  func lastReset() throws -> String
}

/// JSON as nested values.
func json(_ text: String) throws -> Any { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
