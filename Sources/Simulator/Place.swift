/// Where somebody is in the underlay.
enum Place: Hashable, Sendable {
  case manager(Int)
  case agent(Int)
  case client(Int)

  /// A number of its own below 64.
  var number: Int {
    switch self {
    case .manager(let index): index
    case .agent(let index): 16 + index
    case .client(let index): 32 + index
    }
  }
}
