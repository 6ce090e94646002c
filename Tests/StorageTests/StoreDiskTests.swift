import Foundation
import Glibc
import Paxos
import Replication
import Storage
import Testing

@Suite("A store behind a running replica", .serialized) struct StoreDiskTests {
  @Test("is founded, written and recovered") func life() throws {
    let fixture = try StoreFixture()
    let disk = try StoreDisk(path: fixture.path)
    var script = Script(seed: 1, replica: disk.replica)
    #expect(try disk.recover() == nil)
    try disk.found(script.state)
    for _ in 0..<20 { try disk.write([script.next(), script.next()]) }
    #expect(try disk.recover() == script.state)
    let again = #expect(throws: DiskFailure.self) { try disk.found(script.state) }
    #expect(again?.code == .damaged)
    disk.close()
    #expect(try fixture.recover() == script.state)
  }

  @Test("takes writes again when the file system does") func retried() async throws {
    let fixture = try StoreFixture()
    let path = fixture.path
    await #expect(processExitsWith: .exitCode(7)) { [path = path as String] in
      let disk = try StoreDisk(path: path)
      var script = Script(seed: 5, replica: disk.replica)
      try disk.found(script.state)
      signal(SIGXFSZ, SIG_IGN)
      let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
      var limit = rlimit(rlim_cur: 300_000, rlim_max: rlim_t.max)
      unsafe setrlimit(resource, &limit)
      var failure: DiskFailure?
      var batch = script.next()
      while failure == nil {
        do throws(DiskFailure) {
          try disk.write([batch])
          batch = script.next()
        } catch {
          failure = error
        }
      }
      limit.rlim_cur = rlim_t.max
      unsafe setrlimit(resource, &limit)
      try disk.write([batch])
      let isThere = try disk.recover() == script.state
      exit(failure?.code == .unwritable && isThere && script.count > 10 ? 7 : 8)
    }
    let state = try fixture.recover()
    let script = try Script(seed: 5, replica: ReplicaStore.open(path: fixture.path).identity)
    let round = try #require(state?.promised.round)
    let isThere = state == script.state(after: round)
    #expect(isThere && round > 10)
  }

  @Test("a damaged one is not opened again and again") func damaged() throws {
    let fixture = try StoreFixture()
    _ = try fixture.fill(seed: 1, batches: 5)
    try fixture.tamper("UPDATE head SET committed = committed + 1")
    let error = #expect(throws: StoreError.self) { try StoreDisk(path: fixture.path) }
    #expect(error?.code == .corrupt)
    let other = try StoreFixture()
    _ = try other.fill(seed: 1, batches: 5)
    try other.tamper("DELETE FROM snapshot")
    let disk = try StoreDisk(path: other.path)
    let failure = #expect(throws: DiskFailure.self) { try disk.recover() }
    #expect(failure?.code == .damaged && failure?.description.contains(other.path) == true)
    let same = #expect(throws: DiskFailure.self) { try disk.recover() }
    #expect(same?.code == .damaged)
  }
}
