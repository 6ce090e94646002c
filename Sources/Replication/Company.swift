import Control
import Manager
import Paxos

/// The other managers, and the time.
extension LogMachine {
  mutating func take(_ event: PeerEvent) {
    switch event {
    case .envelope(let envelope):
      peers.heard(from: envelope.from, at: milliseconds)
      drive(.received(envelope))
    case .status(let status): peers.take(status, at: milliseconds)
    case .hello(let other):
      guard hello.refusal(of: other) == nil else { return }
      peers.take(other, at: milliseconds)
      meet(other)
    }
  }

  mutating func meet(_ other: PeerHello) {
    switch condition {
    case .forming: found()
    case .joining where other.cluster == hello.cluster: effects.append(.recover)
    case .running where replica?.status.voters.isEmpty == true && !contacts.contains(other.replica):
      beginAgain("\(other.node) may know the members of the cluster")
    default: break
    }
  }

  mutating func tick() {
    line.isBlocked = false
    drive(.tick)
    for question in questions.due() { offer(question) }
    noteRole()
    noteLeader()
    broadcast()
  }

  /// Tells the others how this one is, also when its log does not run.
  private mutating func broadcast() {
    guard now >= statusDue else { return }
    statusDue = now + Limits.statusMilliseconds * 1000
    let own = ownStatus(at: now)
    effects.append(
      .broadcast(
        PeerStatus(
          replica: hello.replica, role: role, isVoter: own.isVoter,
          ballot: replica?.status.ballot ?? .none, committed: Slot(own.committed),
          snapshot: Slot(own.snapshot), seconds: own.seconds)))
  }

  /// Tells the manager who leads, so that it can send others there.
  mutating func noteLeader() {
    guard reign == nil, let leader = replica?.status.leader, leader != replica?.id, leader != toldLeader,
      let address = peers.address(of: leader)
    else { return }
    toldLeader = leader
    tell(.event(.lostPrimary(address: address.description)))
  }

  mutating func noteRole() {
    guard role != currentRole else { return }
    role = currentRole
    roleSince = now
  }

  /// What it is at this very moment, as its ballot is.
  private var currentRole: ManagerStatus.Role {
    switch condition {
    case .forming, .founding: .forming
    case .joining: .learner
    case .running: ManagerStatus.Role(replica?.status.role ?? .learner)
    case .halted, .ended: .halted
    }
  }

  /// All managers as this one knows them.
  func group(at now: UInt64) -> ManagerGroup {
    var group = peers.group(
      own: ownStatus(at: now), cluster: hello.cluster, managers: settings.managers,
      voters: replica?.status.voters ?? [], now: now / 1000)
    if case .halted(let reason) = condition { group.obstacle = reason }
    if case .ended(let reason) = condition { group.obstacle = reason }
    return group
  }

  private func ownStatus(at now: UInt64) -> ManagerStatus {
    let status = replica?.status
    return ManagerStatus(
      node: settings.node, address: settings.address, replica: hello.replica.number, role: currentRole,
      isVoter: status?.voters.contains(hello.replica) ?? false, ballot: Epoch(status?.ballot ?? .none),
      committed: status?.committed.number ?? 0, snapshot: status?.snapshot.number ?? 0,
      seconds: currentRole == role ? (now - min(now, roleSince)) / 1_000_000 : 0, silentMilliseconds: 0)
  }

  /// What a reader may know of a primary: whom else to ask.
  var leaderAddress: String? {
    replica?.status.leader.flatMap { peers.address(of: $0) }?.description
  }
}

extension ManagerStatus.Role {
  fileprivate init(_ role: Paxos.Status.Role) {
    switch role {
    case .learner: self = .learner
    case .follower: self = .follower
    case .candidate: self = .candidate
    case .leader: self = .leader
    }
  }
}
