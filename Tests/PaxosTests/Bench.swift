@testable import Paxos

/// Replicas driven by hand: messages and writes go through at once, except those one keeps back.
struct Bench {
  static let cluster = ClusterID(5)
  var replicas: [Replica] = []
  var now: Milliseconds = 1_000
  /// Replicas that neither get nor send anything.
  var cutOff: Set<ReplicaID> = []
  /// Replicas whose disk confirms nothing.
  var frozen: Set<ReplicaID> = []
  /// What came out that is neither a message nor a write, by replica.
  private(set) var outputs: [(replica: ReplicaID, output: Output)] = []
  private(set) var sent: [Envelope] = []

  init(founders count: UInt64, tuning: Tuning = Tuning()) throws {
    let founders = (1...count).map { ReplicaID($0) }
    for founder in founders {
      let state = DurableState(founding: Self.cluster, replica: founder, founders: founders)
      replicas.append(
        try Replica(recovering: state, cluster: Self.cluster, tuning: tuning, seed: founder.number))
    }
  }

  mutating func join(_ id: ReplicaID) throws {
    let state = DurableState(joining: Self.cluster, replica: id)
    replicas.append(
      try Replica(
        recovering: state, cluster: Self.cluster, contacts: [ReplicaID(1), ReplicaID(2)], seed: id.number))
  }

  subscript(id: UInt64) -> Replica {
    replicas.first { $0.id.number == id } ?? replicas[0]
  }

  mutating func give(_ input: Input, to id: ReplicaID) {
    var pending: [(ReplicaID, Input)] = [(id, input)]
    while !pending.isEmpty {
      let (receiver, input) = pending.removeFirst()
      guard let index = replicas.firstIndex(where: { $0.id == receiver }) else { continue }
      for output in replicas[index].handle(input, at: now) {
        switch output {
        case .persist(let batch):
          if !frozen.contains(receiver) { pending.append((receiver, .persisted(upTo: batch.id))) }
        case .send(let envelope):
          sent.append(envelope)
          if !cutOff.contains(envelope.from), !cutOff.contains(envelope.to) {
            pending.append((envelope.to, .received(envelope)))
          }
        default: outputs.append((receiver, output))
        }
      }
    }
  }

  /// Lets time pass, all clocks alike.
  mutating func pass(_ milliseconds: Milliseconds) {
    let end = now + milliseconds
    while now < end {
      now += 25
      for id in replicas.map(\.id) { give(.tick, to: id) }
    }
  }

  var leader: ReplicaID? { replicas.first { $0.leaseEnd.map { now < $0 } ?? false }?.id }

  /// What a replica has answered since the last time one asked.
  mutating func takeOutputs(of id: ReplicaID) -> [Output] {
    let own = outputs.filter { $0.replica == id }.map(\.output)
    outputs.removeAll { $0.replica == id }
    return own
  }

  mutating func takeSent() -> [Envelope] {
    defer { sent = [] }
    return sent
  }
}
