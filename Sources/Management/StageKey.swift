import Control

/// Whose turn a piece of the manager's work takes.
enum StageKey: Hashable, Sendable {
  /// The log's, or the clock's.
  case manager
  /// An operator whose certificate says who it is.
  case `operator`(String)
  /// The agent of a node.
  case node(String)
  /// A VM for which its host asks: one request each may wait (Ananta §3.6.1).
  case machine(PortRequest)
  /// Nobody knows whose it is: it counts as one of its own.
  case request(UInt64)
}

extension StageKey {
  /// Whose turn a request takes; callers that nobody knows cannot be told apart, so none is held against another.
  init(_ identity: Identity, request: UInt64) {
    self =
      switch identity {
      case .anonymous: .request(request)
      case .node(let name, _): .node(name)
      case .operator(let name, _): .operator(name)
      }
  }
}
