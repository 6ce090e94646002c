import Control
import Foundation
import Manager
import Storage
import Testing
import Wire

@Suite("Journal") struct JournalTests {
  @Test("gives back what was recorded, in a new epoch each time") func roundTrip() throws {
    let fixture = try JournalFixture()
    let journal = try Journal(path: fixture.path)
    let empty = try journal.recoverNow()
    #expect(empty.state == ManagerState() && empty.epoch == Epoch(1))
    #expect(try journal.record(JournalFixture.entries(0..<3)) == [Revision(1), Revision(2), Revision(3)])
    #expect(try journal.record([]) == [])
    #expect(try journal.record(JournalFixture.entries(3..<5)) == [Revision(4), Revision(5)])
    try journal.close()

    let again = try Journal(path: fixture.path)
    let recovery = try again.recoverNow()
    #expect(recovery.state == JournalFixture.state(5))
    #expect(recovery.epoch == Epoch(2) && recovery.replayed == 5)
    #expect(again.cluster == journal.cluster && !again.cluster.isEmpty)
    try again.close()
  }

  @Test("a snapshot takes the place of entries", arguments: [1, 7, 20]) func snapshot(count: Int) throws {
    let fixture = try JournalFixture()
    try fixture.fill(20, inSnapshot: count)
    let recovery = try fixture.recover()
    #expect(recovery.state == JournalFixture.state(20))
    #expect(recovery.replayed == 20 - count)
    let journal = try Journal(path: fixture.path)
    #expect(try journal.record(JournalFixture.entries(20..<21)) == [Revision(21)])
    try journal.shorten(to: JournalFixture.state(21))
    try journal.close()
    #expect(try fixture.recover().state == JournalFixture.state(21))
  }

  @Test("every kind of entry comes back as it was") func kinds() throws {
    let fixture = try JournalFixture()
    let journal = try Journal(path: fixture.path)
    let key = EndpointKey(vip: .any, transport: .udp, port: 53)
    let entries: [Entry] = [
      .epochBegan(Epoch(9)),
      .health([HealthChange(locator: .any, key: key, isHealthy: true, reason: "\"ü/\u{0}")], node: "host1"),
      .operation(.delete([ResourceKey(.service, "web")])),
    ]
    _ = try journal.record(entries)
    try journal.close()
    var expected = ManagerState()
    for (index, entry) in entries.enumerated() { _ = expected.apply(entry, at: Revision(UInt64(index) + 1)) }
    #expect(try fixture.recover().state == expected)
  }

  @Test("a second one on the same file is refused") func locked() throws {
    let fixture = try JournalFixture()
    let journal = try Journal(path: fixture.path)
    let error = #expect(throws: JournalError.self) { try Journal(path: fixture.path) }
    #expect(error?.code == .locked)
    #expect(error?.description.contains("in use by another process") == true)
    _ = try journal.record(JournalFixture.entries(0..<1))
    try journal.close()
    #expect(try fixture.recover().state == JournalFixture.state(1))
  }

  @Test("a directory that is not there is named") func noDirectory() {
    let error = #expect(throws: JournalError.self) { try Journal(path: "/nowhere/at/all/journal.db") }
    #expect(error?.code == .cannotOpen)
    #expect(error?.description.contains("/nowhere/at/all/journal.db") == true)
  }

  @Test("a file of another version is refused") func version() throws {
    let fixture = try JournalFixture()
    try fixture.fill(3)
    try fixture.tamper("UPDATE head SET format = 2")
    let error = #expect(throws: JournalError.self) { try fixture.recover() }
    #expect(error?.code == .wrongVersion)
  }

  @Test("a database of somebody else is refused") func foreign() throws {
    let fixture = try JournalFixture()
    try fixture.tamper("CREATE TABLE recipes (name TEXT)")
    let error = #expect(throws: JournalError.self) { try fixture.recover() }
    #expect(error?.code == .corrupt)
  }

  @Test("serves as the manager's log") func replicatedLog() async throws {
    let fixture = try JournalFixture()
    let journal = try Journal(path: fixture.path)
    let log: any ReplicatedLog = journal
    #expect(try await log.recover().epoch == Epoch(1))
    #expect(try await log.append(JournalFixture.entries(0..<4)) == Revision(1))
    try await log.compact(JournalFixture.state(2))
    #expect(try await log.append(JournalFixture.entries(4..<5)) == Revision(5))
    try journal.close()
    let recovery = try fixture.recover()
    #expect(recovery.state == JournalFixture.state(5) && recovery.replayed == 3)
    await #expect(throws: LogError.self) { try await log.append(JournalFixture.entries(5..<6)) }
  }
}
