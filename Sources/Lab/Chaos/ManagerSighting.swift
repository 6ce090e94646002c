public import Control

/// What a manager said of itself, and when.
public struct ManagerSighting: Codable, Hashable, Sendable {
  /// When it had answered, in nanoseconds on the machine's monotonic clock.
  public var at: UInt64
  /// What it said of itself.
  public var status: ManagerStatus

  /// Joins the two.
  public init(at: UInt64, status: ManagerStatus) {
    self.at = at
    self.status = status
  }
}

extension Sequence where Element == ManagerSighting {
  /// The node that led at the last look: of those that claim it, the one of the highest ballot.
  public func leader(since earliest: UInt64) -> String? {
    var latest: [String: ManagerSighting] = [:]
    for sighting in self where sighting.at >= earliest { latest[sighting.status.node] = sighting }
    return latest.values.filter { $0.status.role == .leader }
      .max { $0.status.ballot < $1.status.ballot }?.status.node
  }

  /// Ballots under which two nodes claimed to lead: there must be none.
  public var sharedBallots: [Epoch] {
    var leaders: [Epoch: Set<String>] = [:]
    for sighting in self where sighting.status.role == .leader {
      leaders[sighting.status.ballot, default: []].insert(sighting.status.node)
    }
    return leaders.filter { $0.value.count > 1 }.keys.sorted()
  }
}
