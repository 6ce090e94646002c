/// Why the agent cannot start; each says what to do.
enum AgentError: Error, CustomStringConvertible {
  /// The kernel or the node's set-up stands in the way.
  case platform(String)
  /// The manager's journal cannot be opened.
  case journal(String)

  var description: String {
    switch self {
    case .platform(let sentence), .journal(let sentence): sentence
    }
  }
}
