/// What a slot of the log holds.
public enum Entry: Codable, Hashable, Sendable {
  /// Nothing: fills a gap, begins a leader's time, or leads up to a new membership ("Paxos Made Simple" §3).
  case noOp
  /// A command of the program, whose octets mean nothing here.
  case command([UInt8])
  /// A change of who votes.
  case membership(Membership.Change)

  /// Octets it counts for against the limits.
  public var size: Int {
    guard case .command(let octets) = self else { return 16 }
    return octets.count + 16
  }
}
