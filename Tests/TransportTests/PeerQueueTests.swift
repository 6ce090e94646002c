import Control
import Paxos
import Replication
import Testing

@testable import Transport

@Suite struct PeerQueueTests {
  private func heartbeat(_ number: UInt64) -> PeerMessage {
    envelope(.heartbeat(.none, committed: .none, sent: number))
  }

  private func envelope(_ message: Paxos.Message) -> PeerMessage {
    .envelope(Envelope(cluster: ClusterID(1), from: ReplicaID(1), to: ReplicaID(2), message: message))
  }

  private func drain(_ queue: inout PeerQueue) -> [PeerMessage] {
    var messages: [PeerMessage] = []
    while let message = queue.next() { messages.append(message) }
    return messages
  }

  @Test func helloFirstThenEnvelopesInOrderThenTheNewestStatus() {
    var random = RandomValues(seed: 1)
    let (hello, old, new) = (random.peerHello(), random.peerStatus(), random.peerStatus())
    var queue = PeerQueue()
    queue.add(.status(old))
    queue.add(heartbeat(1))
    queue.add(.status(new))
    queue.add(heartbeat(2))
    queue.add(.hello(hello))
    #expect(drain(&queue) == [.hello(hello), heartbeat(1), heartbeat(2), .status(new)])
  }

  @Test func theOldestIsDroppedAndCounted() {
    var queue = PeerQueue()
    let count = UInt64(Transport.Limits.replicaQueue)
    for number in 0..<3 * count { queue.add(heartbeat(number)) }
    #expect(queue.dropped == 2 * count)
    #expect(drain(&queue) == (2 * count..<3 * count).map(heartbeat))
  }

  @Test func octetsAreBoundedButTheNewestIsKept() {
    var queue = PeerQueue()
    let entry = Paxos.Entry.command([UInt8](repeating: 1, count: Paxos.Limits.commandBytes))
    let room = Transport.Limits.replicaQueueBytes / entry.size
    for number in 0..<UInt64(room + 5) {
      queue.add(
        envelope(
          .accept(
            Accept(ballot: .none, first: Slot(1), entries: [entry], committed: .none, sent: number))))
    }
    #expect(queue.dropped == 5)
    #expect(drain(&queue).count == room)
  }

  @Test func aNewLinkBeginsEmpty() {
    var queue = PeerQueue()
    for number in 0..<UInt64(Transport.Limits.replicaQueue + 1) { queue.add(heartbeat(number)) }
    queue.clear()
    #expect(queue.next() == nil)
    #expect(queue.dropped == 1)
  }
}
