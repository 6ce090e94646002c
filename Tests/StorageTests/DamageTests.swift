import Foundation
import Manager
import Storage
import Testing

/// Whatever happens to a journal's file, it is refused or it gives back exactly what was recorded.
@Suite("A damaged journal") struct DamageTests {
  @Test(
    "is refused, and the damage is named",
    arguments: [
      ("DELETE FROM log WHERE revision = 7", "revision 7 is missing"),
      ("DELETE FROM log WHERE revision = 20", "end at revision 19, and 20 were acknowledged"),
      ("DELETE FROM log", "end at revision 5, and 20 were acknowledged"),
      ("DELETE FROM snapshot", "revision 1 is missing"),
      ("DELETE FROM head", "its head is missing"),
      ("UPDATE head SET epoch = epoch - 1", "its head does not fit its checksum"),
      ("UPDATE head SET revision = 19", "its head does not fit its checksum"),
      ("UPDATE log SET epoch = 9 WHERE revision = 8", "revision 8 does not fit its checksum"),
      ("UPDATE log SET checksum = checksum + 1 WHERE revision = 8", "revision 8 does not fit its checksum"),
      (
        "UPDATE log SET entry = (SELECT entry FROM log WHERE revision = 9) WHERE revision = 8",
        "revision 8 does not fit"
      ),
      (
        "UPDATE log SET entry = CAST('{}' AS BLOB) WHERE revision = 20",
        "revision 20 does not fit its checksum"
      ),
      ("UPDATE snapshot SET revision = 6", "its snapshot does not fit its checksum"),
      ("UPDATE snapshot SET state = CAST('{}' AS BLOB)", "its snapshot does not fit its checksum"),
      ("UPDATE head SET chain = 'x'", "its head is damaged"),
      ("DROP TABLE log", "no such table: log"),
    ])
  func rows(_ sql: String, detail: String) throws {
    let fixture = try JournalFixture()
    try fixture.fill(20, inSnapshot: 5)
    try fixture.tamper(sql)
    let error = #expect(throws: JournalError.self) { try fixture.recover() }
    #expect(error?.code == .corrupt)
    #expect(error?.detail.contains(detail) == true, "\(error?.detail ?? "")")
    #expect(error?.description.contains(fixture.path) == true)
  }

  @Test("a flipped bit is found or does no harm", arguments: [0, 1, 2, 3]) func flipped(part: Int) throws {
    let fixture = try JournalFixture()
    try fixture.fill(20, inSnapshot: 5)
    let whole = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
    let expected = JournalFixture.state(20)
    var found = 0
    for offset in stride(from: part, to: whole.count, by: 4 * 31) {
      var bytes = whole
      bytes[bytes.startIndex + offset] ^= 1 << (offset % 8)
      try bytes.write(to: URL(fileURLWithPath: fixture.path))
      do throws(JournalError) {
        let state = try Self.recover(fixture.path)
        #expect(state == expected, "byte \(offset)")
      } catch {
        found += 1
        #expect(error.code == .corrupt || error.code == .wrongVersion, "byte \(offset): \(error)")
      }
      Self.removeSidecars(fixture.path)
    }
    #expect(found > 10)
  }

  @Test("a truncated file is refused", arguments: [0.99, 0.75, 0.5, 0.2]) func truncated(share: Double) throws
  {
    let fixture = try JournalFixture()
    try fixture.fill(200)
    let whole = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
    try whole.prefix(Int(Double(whole.count) * share)).write(to: URL(fileURLWithPath: fixture.path))
    let error = #expect(throws: JournalError.self) { try Self.recover(fixture.path) }
    #expect(error?.code == .corrupt, "\(error?.description ?? "")")
  }

  private static func recover(_ path: String) throws(JournalError) -> ManagerState {
    let journal = try Journal(path: path)
    defer { try? journal.close() }
    return try journal.recoverNow().state
  }

  private static func removeSidecars(_ path: String) {
    for suffix in ["-wal", "-shm", "-journal"] { try? FileManager.default.removeItem(atPath: path + suffix) }
  }
}
