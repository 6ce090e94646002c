/// Which cluster a disk and a message belong to: drawn at random when the cluster is founded.
///
/// Ballots and slots mean nothing outside their cluster, so neither data nor messages of another are touched.
public struct ClusterID: Codable, Hashable, Sendable {
  /// Its number.
  public var number: UInt64

  /// Names a cluster.
  public init(_ number: UInt64) {
    self.number = number
  }
}
