/// Why the agent cannot start; each says what to do.
enum AgentError: Error, CustomStringConvertible {
  /// The kernel or the node's set-up stands in the way.
  case platform(String)
  /// The manager's disk cannot be used, or its port.
  case manager(String)

  var description: String {
    switch self {
    case .platform(let sentence), .manager(let sentence): sentence
    }
  }
}
