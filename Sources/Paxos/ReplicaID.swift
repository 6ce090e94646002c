/// One replica, and one disk: drawn at random when the disk is formatted, never configured.
///
/// A disk that is lost takes its identifier with it. What comes in its place has promised nothing yet, so it
/// must not answer under a name that has ("Paxos Made Live" §5.1, disk corruption).
public struct ReplicaID: Codable, Hashable, Sendable, Comparable {
  /// Its number, unlike that of any other disk of the cluster's life.
  public var number: UInt64

  /// Names a replica.
  public init(_ number: UInt64) {
    self.number = number
  }

  /// Orders by number, so that lists of replicas have one order everywhere.
  public static func < (left: ReplicaID, right: ReplicaID) -> Bool { left.number < right.number }
}
