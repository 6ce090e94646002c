import Control
import Paxos

/// The other managers, as far as they have been heard of.
struct PeerTable {
  struct Peer {
    var hello: PeerHello
    var status: PeerStatus?
    /// Milliseconds of this manager's clock.
    var heard: Milliseconds
  }

  private(set) var peers: [Peer] = []

  var hellos: [PeerHello] { peers.map(\.hello) }

  mutating func take(_ hello: PeerHello, at now: Milliseconds) {
    let known = peers.first { $0.hello.replica == hello.replica }
    // A disk that was replaced says so by another identifier at the same address.
    peers.removeAll { $0.hello.replica == hello.replica || $0.hello.address == hello.address }
    peers.append(Peer(hello: hello, status: known?.status, heard: now))
    if peers.count > Limits.peers, let oldest = peers.map(\.heard).min() {
      peers.removeAll { $0.heard == oldest && $0.hello.replica != hello.replica }
    }
  }

  mutating func take(_ status: PeerStatus, at now: Milliseconds) {
    guard let index = peers.firstIndex(where: { $0.hello.replica == status.replica }) else { return }
    peers[index].status = status
    peers[index].heard = now
  }

  mutating func heard(from replica: ReplicaID, at now: Milliseconds) {
    guard let index = peers.firstIndex(where: { $0.hello.replica == replica }) else { return }
    peers[index].heard = now
  }

  /// Where a replica listens.
  func address(of replica: ReplicaID) -> ManagerAddress? {
    peers.first { $0.hello.replica == replica }?.hello.address
  }

  /// The replica of a node.
  func replica(of node: String) -> ReplicaID? {
    peers.last { $0.hello.node == node }?.hello.replica
  }

  /// All managers: this one, those heard of, voters and configured ones not heard of.
  func group(
    own: ManagerStatus, cluster: ClusterID?, managers: [ManagerAddress], voters: [ReplicaID],
    now: Milliseconds
  ) -> ManagerGroup {
    var rows = [own] + peers.map { row(of: $0, voters: voters, now: now) }
    for voter in voters where !rows.contains(where: { $0.replica == voter.number }) {
      rows.append(.unheard(ManagerAddress(host: "unknown", port: 0), replica: voter.number, isVoter: true))
    }
    for address in managers where !rows.contains(where: { $0.address == address }) {
      rows.append(.unheard(address, replica: 0, isVoter: false))
    }
    rows.sort { ($0.node, $0.address.description) < ($1.node, $1.address.description) }
    return ManagerGroup(answering: own.node, cluster: cluster?.number ?? 0, managers: rows)
  }

  private func row(of peer: Peer, voters: [ReplicaID], now: Milliseconds) -> ManagerStatus {
    let hello = peer.hello
    let status = peer.status
    let silence = now - min(now, peer.heard)
    let role = status?.role ?? (hello.isForming ? .forming : .learner)
    return ManagerStatus(
      node: hello.node, address: hello.address, replica: hello.replica.number,
      role: silence > Limits.silenceMilliseconds ? .unreachable : role,
      isVoter: voters.isEmpty ? status?.isVoter ?? false : voters.contains(hello.replica),
      ballot: Epoch(status?.ballot ?? .none), committed: status?.committed.number ?? 0,
      snapshot: status?.snapshot.number ?? 0, seconds: status?.seconds ?? 0, silentMilliseconds: silence)
  }
}

extension ManagerStatus {
  fileprivate static func unheard(_ address: ManagerAddress, replica: UInt64, isVoter: Bool) -> ManagerStatus
  {
    ManagerStatus(
      node: "", address: address, replica: replica, role: .unreachable, isVoter: isVoter, ballot: .none,
      committed: 0, snapshot: 0, seconds: 0, silentMilliseconds: 0)
  }
}

extension Epoch {
  /// A ballot, in the words of those who are told what to do.
  init(_ ballot: Ballot) { self.init(ballot.round, replica: ballot.replica.number) }
}
