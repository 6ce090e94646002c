import Testing

@testable import Paxos

/// When the program is asked for its state, and what is kept below it.
@Suite("Snapshots when they are due") struct SnapshotDemandTests {
  private static func alone(snapshotEntries: Int) throws -> Replica {
    let cluster = ClusterID(1)
    let id = ReplicaID(7)
    var tuning = Tuning()
    tuning.snapshotEntries = snapshotEntries
    return try Replica(
      recovering: DurableState(founding: cluster, replica: id, founders: [id]), cluster: cluster,
      tuning: tuning,
      seed: 1)
  }

  /// Lets a replica that is alone work, with a disk that confirms at once.
  private static func run(_ replica: inout Replica, _ input: Input, at now: Milliseconds) -> [Output] {
    var outputs: [Output] = []
    var inputs = [input]
    while !inputs.isEmpty {
      for output in replica.handle(inputs.removeFirst(), at: now) {
        if case .persist(let batch) = output { inputs.append(.persisted(upTo: batch.id)) }
        outputs.append(output)
      }
    }
    return outputs
  }

  private static func leading(snapshotEntries: Int) throws -> Replica {
    var replica = try alone(snapshotEntries: snapshotEntries)
    for now in stride(from: 0 as Milliseconds, to: 3000, by: 50) { _ = run(&replica, .tick, at: now) }
    try #require(replica.status.role == .leader)
    return replica
  }

  @Test("few large entries are asked for as well as many small ones") func octets() throws {
    var replica = try Self.leading(snapshotEntries: 1000)
    let command = [UInt8](repeating: 1, count: Limits.commandBytes)
    var wanted: [Int] = []
    for number in 1...40 {
      let outputs = Self.run(&replica, .propose(RequestID(UInt64(number)), command), at: 3000)
      if outputs.contains(.snapshotWanted) {
        wanted.append(number)
        _ = Self.run(&replica, .snapshotTaken(at: replica.status.committed, state: [9]), at: 3000)
        #expect(replica.log.first >= replica.status.snapshot.advanced(by: -16))
      }
    }
    #expect(wanted == [16, 32])
  }

  @Test("a full log asks again until the answer comes, and goes on then") func full() throws {
    var replica = try Self.leading(snapshotEntries: 1000)
    let command = [UInt8](repeating: 1, count: Limits.commandBytes)
    let refused = (1...200).first { number in
      Self.run(&replica, .propose(RequestID(UInt64(number)), command), at: 3000)
        .contains(.refused(RequestID(UInt64(number)), .logFull))
    }
    #expect(refused == 129)
    let again = Self.run(&replica, .propose(RequestID(900), command), at: 4000)
    #expect(again.contains(.snapshotWanted))
    #expect(!Self.run(&replica, .propose(RequestID(901), command), at: 4001).contains(.snapshotWanted))
    _ = Self.run(&replica, .snapshotTaken(at: replica.status.committed, state: [9]), at: 4002)
    let outputs = Self.run(&replica, .propose(RequestID(902), command), at: 4003)
    #expect(outputs.contains { if case .committed(RequestID(902), _) = $0 { true } else { false } })
  }
}
