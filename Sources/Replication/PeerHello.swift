public import Control
public import Paxos

/// How a manager introduces itself to another; the first thing on every link.
public struct PeerHello: Codable, Hashable, Sendable {
  /// Of the protocol between managers.
  public var version: UInt16
  /// The cluster of its disk; nil as long as it belongs to none.
  public var cluster: ClusterID?
  /// Its disk.
  public var replica: ReplicaID
  /// Its node's name.
  public var node: String
  /// Where it listens, as the configuration of all managers names it.
  public var address: ManagerAddress
  /// Who founded its cluster, if it still knows; empty while it belongs to none.
  public var founders: [ReplicaID]
  /// Of the managers it has in its configuration: only those who agree found a cluster.
  public var managersDigest: UInt64

  /// Introduces a manager.
  public init(
    version: UInt16 = Paxos.Limits.version, cluster: ClusterID?, replica: ReplicaID, node: String,
    address: ManagerAddress, founders: [ReplicaID] = [], managersDigest: UInt64
  ) {
    self.version = version
    self.cluster = cluster
    self.replica = replica
    self.node = node
    self.address = address
    self.founders = founders
    self.managersDigest = managersDigest
  }

  /// Whether it waits for the other founders, or for a cluster to join.
  public var isForming: Bool { cluster == nil }

  /// Why this manager does not speak with another; nil if it does.
  public func refusal(of other: PeerHello) -> PeerRefusal? {
    guard other.version == version else { return .version(other.version) }
    guard other.replica != replica else { return .sameReplica }
    guard other.node.utf8.count <= Control.Limits.nameLength, !other.node.isEmpty else { return .malformed }
    guard other.founders.count <= Paxos.Limits.voters else { return .malformed }
    if let cluster, let theirs = other.cluster, theirs != cluster { return .cluster(theirs) }
    return nil
  }

  /// The digest of a list of managers, in whatever order it was written: FNV-1a over the sorted addresses.
  public static func digest(of managers: [ManagerAddress]) -> UInt64 {
    digest(of: managers.map(\.description).sorted().joined(separator: ",").utf8)
  }

  static func digest(of octets: some Sequence<UInt8>) -> UInt64 {
    octets.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }
}

/// Why a manager does not speak with another.
public enum PeerRefusal: Error, Hashable, Sendable {
  /// It speaks another version of the protocol.
  case version(UInt16)
  /// It belongs to another cluster.
  case cluster(ClusterID)
  /// Its disk says it is this manager's.
  case sameReplica
  /// Its hello holds more than one may say.
  case malformed

  /// As counters name it.
  public var label: String {
    switch self {
    case .version: "version"
    case .cluster: "cluster"
    case .sameReplica: "same-replica"
    case .malformed: "malformed"
    }
  }
}

extension PeerRefusal: CustomStringConvertible {
  /// One sentence that says what and what to do.
  public var description: String {
    switch self {
    case .version(let version):
      "it speaks version \(version) of the managers' protocol; bring both to the same release"
    case .cluster(let cluster):
      "it belongs to the cluster \(String(cluster.number, radix: 16)); correct `managers`, or empty its disk"
    case .sameReplica: "its disk is a copy of this manager's; empty the data directory of one of them"
    case .malformed: "its hello is malformed"
    }
  }
}
