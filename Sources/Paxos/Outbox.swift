/// What one call of `handle` gives back, and the messages that wait for the disk.
///
/// A message that speaks of something durable goes out only when all writes issued before it are confirmed.
/// Messages to oneself take the same way, so that a replica's own vote counts when it is on disk, and not
/// before.
struct Outbox: Sendable {
  private struct Waiting: Sendable {
    var write: WriteID
    var envelope: Envelope
  }

  private let cluster: ClusterID
  private let replica: ReplicaID
  private var outputs: [Output] = []
  private var writes: [Write] = []
  private var dependents: [Envelope] = []
  private var waiting: [Waiting] = []
  private var local: [Message] = []
  private var issued = WriteID(0)
  private var confirmed = WriteID(0)
  private var recordedCommit: Slot

  init(cluster: ClusterID, replica: ReplicaID, committed: Slot) {
    self.cluster = cluster
    self.replica = replica
    recordedCommit = committed
  }

  /// Batches that the disk has not confirmed.
  var unconfirmed: Int { Int(issued.number - confirmed.number) }

  /// Whether the disk is so far behind that nothing more should be asked of it.
  var isCongested: Bool { unconfirmed >= Limits.unconfirmedBatches }

  mutating func emit(_ output: Output) {
    outputs.append(output)
  }

  mutating func write(_ write: Write) {
    writes.append(write)
  }

  /// Sends now.
  mutating func send(_ message: Message, to receiver: ReplicaID) {
    deliver(Envelope(cluster: cluster, from: replica, to: receiver, message: message))
  }

  /// Sends when all that is written so far, this call's writes included, is on disk.
  mutating func sendWhenDurable(_ message: Message, to receiver: ReplicaID) {
    dependents.append(Envelope(cluster: cluster, from: replica, to: receiver, message: message))
  }

  /// The next message to oneself.
  mutating func nextLocal() -> Message? {
    local.isEmpty ? nil : local.removeFirst()
  }

  /// Takes note of what is on disk; numbers that were not issued count for nothing.
  mutating func confirm(upTo write: WriteID) {
    confirmed = max(confirmed, min(write, issued))
    let ready = waiting.prefix { $0.write <= confirmed }
    waiting.removeFirst(ready.count)
    for item in ready { deliver(item.envelope) }
  }

  /// Releases what waits for nothing; true if there are messages to oneself.
  mutating func release() -> Bool {
    if writes.isEmpty, confirmed == issued {
      let ready = dependents
      dependents = []
      for envelope in ready { deliver(envelope) }
    }
    return !local.isEmpty
  }

  /// Ends the call: one batch at most, after the messages that need not wait for it.
  mutating func close(committed: Slot) -> [Output] {
    if !writes.isEmpty {
      if committed > recordedCommit {
        writes.append(.committed(committed))
        recordedCommit = committed
      }
      issued = WriteID(issued.number + 1)
      outputs.append(.persist(WriteBatch(id: issued, writes: writes)))
      writes = []
    }
    let room = max(0, Limits.waitingMessages - waiting.count)
    waiting += dependents.prefix(room).map { Waiting(write: issued, envelope: $0) }
    dependents = []
    let result = outputs
    outputs = []
    return result
  }

  private mutating func deliver(_ envelope: Envelope) {
    if envelope.to == replica {
      local.append(envelope.message)
    } else {
      outputs.append(.send(envelope))
    }
  }
}
