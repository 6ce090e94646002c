import Control
import Paxos
import Replication

@testable import Transport

extension RandomValues {
  mutating func replica() -> ReplicaID { ReplicaID(number()) }
  mutating func slot() -> Slot { Slot(number()) }
  mutating func ballot() -> Ballot { Ballot(round: number(), replica: replica()) }
  mutating func grant() -> Grant { Grant(asked: number(), duration: number()) }

  mutating func octets() -> [UInt8] { (0..<pick(40)).map { _ in UInt8(pick(256)) } }

  mutating func logEntry() -> Paxos.Entry {
    switch pick(4) {
    case 0: .noOp
    case 1: .membership(.add(replica()))
    case 2: .membership(.remove(replica()))
    default: .command(octets())
    }
  }

  mutating func record() -> Record { Record(slot: slot(), ballot: ballot(), entry: logEntry()) }

  mutating func chunk() -> SnapshotChunk {
    let founders = (0..<pick(Paxos.Limits.voters)).map { _ in replica() }
    let memberships = flip() || founders.isEmpty ? [] : [Membership(founders: founders)]
    return SnapshotChunk(
      slot: slot(), memberships: memberships, digest: number(), total: pick(Paxos.Limits.snapshotBytes + 1),
      offset: pick(Paxos.Limits.snapshotBytes + 1), octets: octets())
  }

  mutating func logMessage() -> Paxos.Message {
    switch pick(13) {
    case 0: .canvass(ballot(), committed: slot())
    case 1: .supported(ballot())
    case 2: .prepare(ballot(), from: slot())
    case 3:
      .promise(
        Promise(ballot: ballot(), from: slot(), votes: list { $0.record() }, rest: flip() ? slot() : nil))
    case 4:
      .accept(
        Accept(
          ballot: ballot(), first: slot(), entries: list { $0.logEntry() }, committed: slot(), sent: number())
      )
    case 5: .accepted(ballot(), first: slot(), count: pick(Paxos.Limits.messageEntries + 1), grant())
    case 6: .heartbeat(ballot(), committed: slot(), sent: number())
    case 7: .granted(ballot(), grant())
    case 8: .nack(ballot(), promised: ballot())
    case 9: .resign(ballot(), successor: flip() ? replica() : nil)
    case 10:
      .catchUp(
        from: slot(),
        flip() ? nil : Fragment(slot: slot(), digest: number(), offset: pick(Paxos.Limits.snapshotBytes + 1)))
    case 11: .chosen(list { $0.record() }, committed: slot())
    default: .chunk(chunk())
    }
  }

  mutating func envelope() -> Envelope {
    Envelope(cluster: ClusterID(number()), from: replica(), to: replica(), message: logMessage())
  }

  mutating func peerHello() -> PeerHello {
    PeerHello(
      version: port(), cluster: flip() ? ClusterID(number()) : nil, replica: replica(), node: text(),
      address: ManagerAddress(host: text(), port: port()), founders: list { $0.replica() },
      managersDigest: number())
  }

  mutating func peerStatus() -> PeerStatus {
    PeerStatus(
      replica: replica(), role: one(of: ManagerStatus.Role.allCases), isVoter: flip(), ballot: ballot(),
      committed: slot(), snapshot: slot(), seconds: number())
  }

  mutating func peerMessage() -> PeerMessage {
    switch pick(8) {
    case 0: .hello(peerHello())
    case 1: .status(peerStatus())
    default: .envelope(envelope())
    }
  }
}
