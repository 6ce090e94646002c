import Control
import Foundation
import Glibc
import Manager
import Storage
import Testing

/// Processes that die, and disks that fill up, while the journal is written.
@Suite("A journal in trouble", .serialized) struct CrashTests {
  @Test("everything acknowledged is there after kill -9", arguments: [1, 5, 23, 60, 111, 200])
  func killed(batches: Int) async throws {
    let fixture = try JournalFixture()
    let directory = fixture.directory
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [directory = directory as String, batches = batches as Int] in
      let journal = try Journal(path: directory + "/journal.db")
      _ = try journal.recoverNow()
      _ = FileManager.default.createFile(atPath: directory + "/acknowledged", contents: nil)
      let acknowledged = try #require(FileHandle(forWritingAtPath: directory + "/acknowledged"))
      let due = DispatchSemaphore(value: 0)
      Thread.detachNewThread {
        due.wait()
        // Somewhere within the next batch, or the one after.
        usleep(UInt32.random(in: 0..<2000))
        kill(getpid(), SIGKILL)
      }
      var next = 0
      for batch in 1... {
        let count = batch % 5 + 1
        _ = try journal.record(JournalFixture.entries(next..<next + count))
        next += count
        try acknowledged.write(contentsOf: Data("\(next)\n".utf8))
        if batch % 20 == 0 { try journal.shorten(to: JournalFixture.state(next)) }
        if batch == batches { due.signal() }
      }
    }
    let text = (try? String(contentsOfFile: directory + "/acknowledged", encoding: .utf8)) ?? ""
    let lines = text.split(separator: "\n")
    #expect(lines.count >= batches)
    let acknowledged = lines.last.flatMap { Int($0) } ?? 0
    let state = try fixture.recover().state
    let count = Int(state.revision.number)
    #expect(count >= acknowledged && count <= acknowledged + 5, "\(count) of \(acknowledged)")
    #expect(state == JournalFixture.state(count))
  }

  @Test("a write past the file size limit is an error, and what was there stays") func limited() async throws
  {
    let fixture = try JournalFixture()
    let directory = fixture.directory
    await #expect(processExitsWith: .exitCode(7)) { [directory = directory as String] in
      let journal = try Journal(path: directory + "/journal.db")
      _ = try journal.recoverNow()
      _ = try journal.record(JournalFixture.entries(0..<10))
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 300_000, rlim_max: 300_000)
      unsafe setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      do throws(JournalError) {
        for start in stride(from: 10, to: 100_000, by: 10) {
          _ = try journal.record(JournalFixture.entries(start..<start + 10))
        }
      } catch {
        exit(error.code == .cannotWrite || error.code == .full ? 7 : 8)
      }
    }
    let state = try fixture.recover().state
    #expect(state.revision.number >= 10)
    #expect(state == JournalFixture.state(Int(state.revision.number)))
  }

  @Test(
    "a full file system is an error, and its journal goes on when there is room", .enabled(if: getuid() == 0))
  func full() throws {
    let fixture = try JournalFixture()
    let mounted = unsafe mount("tmpfs", fixture.directory, "tmpfs", 0, "size=400k")
    try #require(mounted == 0, "mount: errno \(errno)")
    defer { unsafe umount(fixture.directory) }
    let ballast = fixture.directory + "/ballast"
    try Data(count: 100_000).write(to: URL(fileURLWithPath: ballast))
    let journal = try Journal(path: fixture.path)
    _ = try journal.recoverNow()
    var recorded = 0
    let error = #expect(throws: JournalError.self) {
      while recorded < 100_000 {
        _ = try journal.record(JournalFixture.entries(recorded..<recorded + 10))
        recorded += 10
      }
    }
    #expect(error?.code == .full, "\(error?.description ?? "")")
    #expect(error?.description.contains("make room") == true)
    try FileManager.default.removeItem(atPath: ballast)
    #expect(
      try journal.record(JournalFixture.entries(recorded..<recorded + 1)).first?.number == UInt64(recorded)
        + 1)
    try journal.close()
    #expect(try fixture.recover().state == JournalFixture.state(recorded + 1))
  }
}
