/// What became of many requests of low priority.
public struct FloodReport: Codable, Hashable, Sendable {
  /// Requests that were begun.
  public var offered = 0
  /// Those that were carried out.
  public var answered = 0
  /// Those that were refused with a time to come back after.
  public var shed = 0
  /// Those that ended otherwise.
  public var failed = 0
  /// The first reason of these.
  public var reason = ""
  /// From the first to the last.
  public var seconds = 0.0

  /// Nothing yet.
  public init() {}

  /// Both floods.
  public mutating func add(_ other: FloodReport) {
    offered += other.offered
    answered += other.answered
    shed += other.shed
    failed += other.failed
    if reason.isEmpty { reason = other.reason }
    seconds = max(seconds, other.seconds)
  }
}
