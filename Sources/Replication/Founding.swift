import Control
import Paxos

/// How a disk that belongs to no cluster comes to one.
///
/// All managers of the configuration found a cluster together, once all of them are there and agree on the list; or
/// one finds a cluster and joins it. Each disk founds at most once, so two clusters never both have majorities
/// out of the same disks.
enum Founding {
  /// What the disk is to become; nil: nothing yet.
  static func decide(_ own: PeerHello, managers: [ManagerAddress], peers: [PeerHello]) -> DurableState? {
    if let founded = peers.first(where: { !$0.isForming }), let cluster = founded.cluster {
      if founded.founders.contains(own.replica), cluster == self.cluster(of: founded.founders) {
        return DurableState(founding: cluster, replica: own.replica, founders: founded.founders)
      }
      return DurableState(joining: cluster, replica: own.replica)
    }
    var founders = [own.replica]
    for address in Set(managers) where address != own.address {
      guard let peer = peers.first(where: { $0.address == address }),
        peer.managersDigest == own.managersDigest
      else { return nil }
      founders.append(peer.replica)
    }
    guard Set(founders).count == founders.count else { return nil }
    return DurableState(
      founding: cluster(of: founders), replica: own.replica, founders: founders.sorted())
  }

  /// The identifier of the cluster of these founders: all of them come to the same.
  static func cluster(of founders: [ReplicaID]) -> ClusterID {
    let octets = founders.sorted().flatMap { founder in
      (0..<8).map { UInt8(truncatingIfNeeded: founder.number >> (8 * UInt64($0))) }
    }
    return ClusterID(PeerHello.digest(of: octets))
  }
}
