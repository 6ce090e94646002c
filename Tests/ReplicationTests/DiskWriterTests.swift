import Paxos
import Synchronization
import Testing

@testable import Replication

@Suite("The disk's thread", .timeLimit(.minutes(1))) struct DiskWriterTests {
  /// A writer over a founded disk, and what it has reported.
  private final class Fixture: Sendable {
    let disk = MemoryDisk(
      5, holding: DurableState(founding: ClusterID(1), replica: ReplicaID(5), founders: [ReplicaID(5)]))
    let writer: DiskWriter
    private let reports: Reports

    private final class Reports: Sendable {
      let failures = Mutex(0)
      let recoveries = Mutex(0)
    }

    var failures: Int { reports.failures.withLock { $0 } }
    var recoveries: Int { reports.recoveries.withLock { $0 } }

    init() {
      let reports = Reports()
      self.reports = reports
      writer = DiskWriter(disk) { input in
        switch input {
        case .diskFailed: reports.failures.withLock { $0 += 1 }
        case .recovered: reports.recoveries.withLock { $0 += 1 }
        default: break
        }
      }
    }

    func promise(_ round: UInt64, life: UInt64) {
      let ballot = Ballot(round: round, replica: ReplicaID(5))
      writer.persist(WriteBatch(id: WriteID(round), writes: [.promised(ballot)]), life: life)
    }

    var promised: UInt64? { disk.durable?.promised.round }
  }

  @Test("what a life still wants written after its write has failed is dropped, however late it comes")
  func ended() async {
    let fixture = Fixture()
    fixture.disk.setFull(true)
    fixture.promise(1, life: 1)
    #expect(await eventually { fixture.failures > 0 })
    fixture.disk.setFull(false)
    #expect(await eventually { fixture.recoveries == 1 })
    // What is read then is what the next life begins with: nothing of the last may come behind it.
    fixture.promise(2, life: 1)
    fixture.writer.recover()
    #expect(await eventually { fixture.recoveries == 2 })
    #expect(fixture.promised == 1)
    fixture.promise(3, life: 2)
    #expect(await eventually { fixture.promised == 3 })
  }

  @Test("a disk that is closed is not used any more, though a write had failed") func closed() async throws {
    let fixture = Fixture()
    fixture.disk.setFull(true)
    fixture.promise(1, life: 1)
    #expect(await eventually { fixture.failures > 0 })
    fixture.writer.close()
    fixture.disk.setFull(false)
    // Twice as long as until the next try.
    try await Task.sleep(for: .milliseconds(2 * Limits.diskRetryMilliseconds))
    #expect(fixture.promised == 0 && fixture.recoveries == 0)
  }
}
