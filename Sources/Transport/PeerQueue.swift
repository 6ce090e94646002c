import Paxos
import Replication

/// What waits for a link to another manager.
///
/// Replicas send again what is lost, and newer messages are worth more than older ones; so when there is too much, the
/// oldest is dropped, never the newest. Of hellos and statuses only the newest counts.
struct PeerQueue {
  private var hello: PeerHello?
  private var status: PeerStatus?
  private var envelopes: [Envelope?] = []
  private var first = 0
  private var bytes = 0
  /// Envelopes that were dropped because there were too many.
  private(set) var dropped: UInt64 = 0

  private var count: Int { envelopes.count - first }

  mutating func add(_ message: PeerMessage) {
    switch message {
    case .hello(let newest): hello = newest
    case .status(let newest): status = newest
    case .envelope(let envelope):
      envelopes.append(envelope)
      bytes += envelope.message.octets
      while count > Limits.replicaQueue || (bytes > Limits.replicaQueueBytes && count > 1) {
        _ = takeEnvelope()
        dropped += 1
      }
    }
  }

  /// What is to be sent next.
  mutating func next() -> PeerMessage? {
    if let hello {
      self.hello = nil
      return .hello(hello)
    }
    if let envelope = takeEnvelope() { return .envelope(envelope) }
    defer { status = nil }
    return status.map { .status($0) }
  }

  /// Forgets all that waits: a new link begins with what is said then.
  mutating func clear() {
    let count = dropped
    self = PeerQueue()
    dropped = count
  }

  private mutating func takeEnvelope() -> Envelope? {
    guard first < envelopes.count, let envelope = envelopes[first] else { return nil }
    envelopes[first] = nil
    first += 1
    bytes -= envelope.message.octets
    // Twice the limit is moved at most once for as many messages.
    if first > Limits.replicaQueue || first == envelopes.count {
      envelopes.removeFirst(first)
      first = 0
    }
    return envelope
  }
}

extension Paxos.Message {
  /// Octets of entries and snapshots in it; what stands around them does not count.
  fileprivate var octets: Int {
    switch self {
    case .accept(let accept): accept.entries.reduce(0) { $0 + $1.size }
    case .promise(let promise): promise.votes.reduce(0) { $0 + $1.entry.size }
    case .chosen(let records, _): records.reduce(0) { $0 + $1.entry.size }
    case .chunk(let chunk): chunk.octets.count
    case .canvass, .supported, .prepare, .accepted, .heartbeat, .granted, .nack, .resign, .catchUp: 0
    }
  }
}
