import Control
import Manager
import Paxos

/// Being primary: from which ballot on, what is proposed, and handing over.
extension LogMachine {
  mutating func lead(_ epoch: Epoch) {
    metrics.elections += 1
    reign = Reign(since: reign?.since ?? epoch, current: epoch)
    toldLeader = replica?.id
    tell(.event(.becamePrimary(epoch)))
  }

  /// What was appended is the manager's to answer: it may be chosen, or not.
  mutating func depose() {
    line = ProposalLine()
    guard reign != nil else { return }
    reign = nil
    metrics.depositions += 1
    toldLeader = nil
    tell(.event(.lostPrimary(address: nil)))
  }

  mutating func append(_ appended: Appended, in epoch: Epoch) {
    guard let reign, reign.since <= epoch, epoch <= reign.current else { return }
    line.append(appended)
  }

  mutating func propose() {
    while reign != nil, replica != nil {
      let request = nextRequest()
      guard let octets = line.start(as: request) else { return }
      drive(.propose(Paxos.RequestID(request), octets))
    }
  }

  mutating func refuse(_ request: UInt64, _ refusal: Refusal) {
    if let question = questions.settle(request) { return refuse(question, refusal) }
    switch refusal {
    case .retryLater, .logFull: line.putBack(request)
    // `deposed` follows, or will.
    case .notLeader, .uncertain: line.hasGap = true
    case .tooLarge, .notCaughtUp, .pointless: beginAgain("an entry was refused: \(refusal)")
    }
  }

  /// Leadership goes to whoever has come furthest, so that nobody has to wait for the end of a lease.
  mutating func resign() {
    guard let status = replica?.status, reign != nil else { return }
    let candidates = peers.peers.filter { peer in
      status.voters.contains(peer.hello.replica) && milliseconds < peer.heard + Limits.silenceMilliseconds
    }
    let best = candidates.max { ($0.status?.committed ?? .none) < ($1.status?.committed ?? .none) }
    guard let best else { return }
    drive(.transfer(Paxos.RequestID(nextRequest()), to: best.hello.replica))
  }
}
