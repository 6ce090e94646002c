import Foundation
import Glibc
import Paxos
import Storage
import Testing

/// Processes that die, and disks that fill up, while the store is written.
@Suite("A replica's disk in trouble", .serialized) struct CrashTests {
  @Test(
    "everything confirmed is there after kill -9, and nothing is there in half",
    arguments: [0, 1, 2, 5, 23, 60, 111, 200])
  func killed(batches: Int) async throws {
    let fixture = try StoreFixture()
    let directory = fixture.directory
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [directory = directory as String, batches = batches as Int] in
      let store = try ReplicaStore.open(path: directory + "/replica.db")
      var script = Script(seed: batches, replica: store.identity, entryOctets: 5000)
      try store.found(script.state)
      _ = FileManager.default.createFile(atPath: directory + "/confirmed", contents: nil)
      let confirmed = try #require(FileHandle(forWritingAtPath: directory + "/confirmed"))
      let due = DispatchSemaphore(value: 0)
      Thread.detachNewThread {
        due.wait()
        // Somewhere within the next writes.
        usleep(UInt32.random(in: 0..<4000))
        kill(getpid(), SIGKILL)
      }
      while true {
        if script.count >= UInt64(batches) { due.signal() }
        try store.write((0...script.count % 3).map { _ in script.next() })
        try confirmed.write(contentsOf: Data("\(script.count)\n".utf8))
      }
    }
    let text = (try? String(contentsOfFile: directory + "/confirmed", encoding: .utf8)) ?? ""
    let confirmed = text.split(separator: "\n").last.flatMap { UInt64($0) } ?? 0
    let store = try ReplicaStore.open(path: fixture.path)
    let state = try #require(try store.recover())
    let count = state.promised.round
    // One write holds at most three batches, and may be there without having been confirmed.
    let script = Script(seed: batches, replica: store.identity, entryOctets: 5000)
    #expect(count >= confirmed && count <= confirmed + 3, "\(count) of \(confirmed)")
    let isWhole = state == script.state(after: count)
    #expect(isWhole)
    // A write takes one, two or three batches, as its beginning says; none of them is there alone.
    var beginning: UInt64 = 0
    while beginning < count { beginning += beginning % 3 + 1 }
    #expect(beginning == count)
    try store.close()
  }

  @Test("a write that fails takes the store out of use until it is opened again") func limited() async throws
  {
    let fixture = try StoreFixture()
    let directory = fixture.directory
    await #expect(processExitsWith: .exitCode(7)) { [directory = directory as String] in
      var script: Script
      let store = try ReplicaStore.open(path: directory + "/replica.db")
      script = Script(seed: 5, replica: store.identity)
      try store.found(script.state)
      signal(SIGXFSZ, SIG_IGN)
      let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
      var limit = rlimit(rlim_cur: 300_000, rlim_max: rlim_t.max)
      unsafe setrlimit(resource, &limit)
      var first: StoreError?
      while first == nil {
        do throws(StoreError) { try store.write([script.next()]) } catch { first = error }
      }
      limit.rlim_cur = rlim_t.max
      unsafe setrlimit(resource, &limit)
      var again: StoreError?
      do throws(StoreError) { try store.write([script.next()]) } catch { again = error }
      let isOut = first?.code == .cannotWrite && again == first && script.count > 10
      try Data("\(script.count - 2)".utf8).write(to: URL(fileURLWithPath: directory + "/confirmed"))
      exit(isOut ? 7 : 8)
    }
    let text = try String(contentsOfFile: directory + "/confirmed", encoding: .utf8)
    let store = try ReplicaStore.open(path: fixture.path)
    let script = Script(seed: 5, replica: store.identity)
    let state = try #require(try store.recover())
    #expect(state.promised.round == UInt64(text))
    #expect(state == script.state(after: state.promised.round))
  }

  @Test(
    "a full file system is an error that changes nothing, and the store goes on when there is room",
    .enabled(if: getuid() == 0), arguments: [100, 3000, 60_000])
  func full(entryOctets: Int) throws {
    let fixture = try StoreFixture()
    let mounted = unsafe mount("tmpfs", fixture.directory, "tmpfs", 0, "size=1m")
    try #require(mounted == 0, "mount: errno \(errno)")
    defer { unsafe umount(fixture.directory) }
    let ballast = fixture.directory + "/ballast"
    try Data(count: 500_000).write(to: URL(fileURLWithPath: ballast))
    var (store, script) = try fixture.founded(seed: 1, entryOctets: entryOctets)
    var full: StoreError?
    var before = script
    while full == nil, script.count < 100_000 {
      before = script
      do throws(StoreError) { try store.write([script.next(), script.next()]) } catch { full = error }
    }
    #expect(full?.code == .full, "\(full?.description ?? "")")
    #expect(full?.description.contains("make room") == true)
    let copy = try StoreFixture()
    try copy.put(fixture.files())
    let isUnchangedOnDisk = try copy.recover() == before.state
    #expect(isUnchangedOnDisk)
    try FileManager.default.removeItem(atPath: ballast)
    let isUnchanged = try store.recover() == before.state
    #expect(isUnchanged)
    for _ in 0..<3 { try store.write([before.next()]) }
    try store.close()
    let isThere = try fixture.recover() == before.state
    #expect(isThere)
  }

  @Test("a disk too full for a store at all says so", .enabled(if: getuid() == 0)) func fullAtOnce() throws {
    let fixture = try StoreFixture()
    let mounted = unsafe mount("tmpfs", fixture.directory, "tmpfs", 0, "size=16k")
    try #require(mounted == 0, "mount: errno \(errno)")
    defer { unsafe umount(fixture.directory) }
    let error = #expect(throws: StoreError.self) { try ReplicaStore.open(path: fixture.path) }
    #expect(error?.code == .full, "\(error?.description ?? "")")
  }
}
