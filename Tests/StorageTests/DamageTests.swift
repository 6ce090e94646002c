import Foundation
import Paxos
import Storage
import Testing

/// Whatever happens to a store's files, it is refused by name or it gives back exactly what was confirmed.
@Suite("A damaged disk of a replica") struct DamageTests {
  @Test(
    "is refused, and the damage is named",
    arguments: [
      ("DELETE FROM records WHERE slot = 7", "it holds 9 records, and 10 were written"),
      ("DELETE FROM records", "it holds 0 records, and 10 were written"),
      ("DELETE FROM snapshot", "its snapshot is missing"),
      ("DELETE FROM head", "its head is missing"),
      ("UPDATE head SET generation = generation + 1", "its head does not fit its checksum"),
      ("UPDATE head SET committed = committed - 1", "its head does not fit its checksum"),
      ("UPDATE head SET promised_round = promised_round - 1", "its head does not fit its checksum"),
      ("UPDATE head SET cluster = NULL", "its head does not fit its checksum"),
      ("UPDATE head SET replica = 7", "its head does not fit its checksum"),
      ("UPDATE records SET round = 9 WHERE slot = 8", "slot 8 does not fit its checksum"),
      ("UPDATE records SET replica = 9 WHERE slot = 8", "slot 8 does not fit its checksum"),
      ("UPDATE records SET slot = 800 WHERE slot = 8", "slot 800 does not fit its checksum"),
      ("UPDATE records SET checksum = checksum + 1 WHERE slot = 8", "slot 8 does not fit its checksum"),
      (
        "UPDATE records SET entry = (SELECT entry FROM records WHERE slot = 9) WHERE slot = 8",
        "slot 8 does not fit its checksum"
      ),
      ("UPDATE records SET entry = x'0100' WHERE slot = 10", "slot 10 does not fit its checksum"),
      ("UPDATE snapshot SET slot = 6", "its snapshot does not fit its checksum"),
      ("UPDATE snapshot SET memberships = x'0100'", "its snapshot does not fit its checksum"),
      ("UPDATE snapshot SET state = x'00'", "its snapshot's state does not fit its digest"),
      ("DROP TABLE records", "no such table: records"),
    ])
  func rows(_ sql: String, detail: String) throws {
    let fixture = try StoreFixture(inMemory: true)
    _ = try Self.fill(fixture, rounds: 1)
    try fixture.tamper(sql)
    let error = #expect(throws: StoreError.self) { try fixture.recover() }
    #expect(error?.code == .corrupt)
    #expect(error?.detail.contains(detail) == true, "\(error?.detail ?? "")")
    #expect(error?.description.contains(fixture.path) == true)
    #expect(error?.description.contains("do not restore it") == true)
  }

  @Test(
    "that has an older row in place of a newer one is refused",
    arguments: [
      ("head", "it ends at transaction 2, and 3 were confirmed"),
      ("records WHERE slot = 4", "one of its records is an older one"),
      ("snapshot", "its snapshot is not the one that was written last"),
    ])
  func stale(rows: String, detail: String) throws {
    let older = try StoreFixture(inMemory: true)
    let fixture = try StoreFixture(inMemory: true)
    _ = try Self.fill(fixture, rounds: 1)
    try older.put(fixture.files())
    let store = try ReplicaStore.open(path: fixture.path)
    _ = try store.recover()
    try store.write(Self.round(2))
    try store.close()
    let table = rows.prefix { $0 != " " }
    try fixture.copy(rows, into: String(table), from: older)
    let error = #expect(throws: StoreError.self) { try fixture.recover() }
    #expect(error?.code == .corrupt)
    #expect(error?.detail.contains(detail) == true, "\(error?.detail ?? "")")
  }

  enum Damage: CaseIterable { case zeroed, random, flipped, anotherPage, olderPage }

  @Test("is found or does no harm on every page", arguments: Damage.allCases) func pages(_ damage: Damage)
    throws
  {
    let fixture = try StoreFixture(inMemory: true)
    _ = try Self.fill(fixture, rounds: 4)
    let older = fixture.files().main
    let store = try ReplicaStore.open(path: fixture.path)
    _ = try store.recover()
    try store.write(Self.round(5))
    let expected = try store.recover()
    try store.close()
    let whole = fixture.files()
    let size = 4096
    var chance = Chance(seed: 1)
    var (found, harmless) = (0, 0)
    for start in stride(from: 0, to: whole.main.count, by: size) {
      for _ in 0..<(damage == .flipped ? 24 : 1) {
        var files = whole
        let page = start..<start + size
        switch damage {
        case .zeroed: files.main.replaceSubrange(page, with: Data(count: size))
        case .random: files.main.replaceSubrange(page, with: Data(chance.octets(size..<size + 1)))
        case .flipped: files.main[start + chance.number(0..<size)] ^= 1 << chance.number(0..<8)
        case .anotherPage:
          let other = (start + size) % whole.main.count
          files.main.replaceSubrange(page, with: whole.main[other..<other + size])
        case .olderPage where start < older.count: files.main.replaceSubrange(page, with: older[page])
        case .olderPage: files.main.replaceSubrange(page, with: Data(count: size))
        }
        if try Self.isFound(fixture, files, expected) { found += 1 } else { harmless += 1 }
      }
    }
    #expect(found > 5, "\(found) found, \(harmless) harmless")
  }

  @Test("is refused when it is cut", arguments: [0.999, 0.75, 0.5, 0.2, 0.001, 0]) func cut(share: Double)
    throws
  {
    let fixture = try StoreFixture(inMemory: true)
    let expected = try Self.fill(fixture, rounds: 4)
    var files = fixture.files()
    files.main = files.main.prefix(Int(Double(files.main.count) * share))
    #expect(try Self.isFound(fixture, files, expected))
  }

  // MARK: The write-ahead log and the mark

  /// The files as they lie there while a store is open, and after a kill.
  private static func killed(_ fixture: StoreFixture) throws -> (StoreFixture.Files, DurableState?) {
    let store = try ReplicaStore.open(path: fixture.path)
    try store.found(DurableState(joining: ClusterID(7), replica: store.identity))
    for number in 1..<6 { try store.write(round(number)) }
    let files = fixture.files()
    let state = try store.recover()
    try store.close()
    return (files, state)
  }

  @Test("is found wherever the log of a killed manager has another bit", arguments: 0..<4)
  func log(part: Int) throws {
    let fixture = try StoreFixture(inMemory: true)
    let (whole, expected) = try Self.killed(fixture)
    #expect(whole.log.count > 50_000)
    var found = 0
    for offset in stride(from: part, to: whole.log.count, by: 4 * 167) {
      var files = whole
      files.log[offset] ^= 1 << (offset % 8)
      if try Self.isFound(fixture, files, expected) { found += 1 }
    }
    // Frames that later ones replace do no harm only if SQLite never looks at them; it does.
    #expect(found > whole.log.count / (4 * 167) - 4)
  }

  @Test("is refused wherever the log of a killed manager is cut") func shortLog() throws {
    let fixture = try StoreFixture(inMemory: true)
    let (whole, expected) = try Self.killed(fixture)
    for count in stride(from: 0, to: whole.log.count, by: 331) {
      var files = whole
      files.log = whole.log.prefix(count)
      #expect(try Self.isFound(fixture, files, expected), "\(count) of \(whole.log.count)")
    }
    #expect(try !Self.isFound(fixture, whole, expected))
  }

  @Test("what is recovered does not rest on a log that may never have reached the disk") func recovered()
    throws
  {
    let fixture = try StoreFixture(inMemory: true)
    let (whole, expected) = try Self.killed(fixture)
    try fixture.put(whole)
    let store = try ReplicaStore.open(path: fixture.path)
    #expect(!fixture.files().log.isEmpty)
    let isExpected = try store.recover() == expected
    #expect(isExpected)
    var files = fixture.files()
    try store.close()
    files.log = Data()
    #expect(try !Self.isFound(fixture, files, expected))
  }

  @Test("is refused when its mark is damaged, missing or another's, not when it is an older one") func mark()
    throws
  {
    let fixture = try StoreFixture(inMemory: true)
    _ = try Self.fill(fixture, rounds: 2)
    let older = fixture.files().mark
    let store = try ReplicaStore.open(path: fixture.path)
    _ = try store.recover()
    try store.write(Self.round(3))
    let expected = try store.recover()
    try store.close()
    let whole = fixture.files()
    #expect(older != whole.mark && older.count == 32)
    var files = whole
    files.mark = older
    #expect(try !Self.isFound(fixture, files, expected))
    for offset in 0..<32 {
      files.mark = whole.mark
      files.mark[offset] ^= 1 << (offset % 8)
      #expect(try Self.isFound(fixture, files, expected), "octet \(offset)")
    }
    for count in 0..<32 {
      files.mark = whole.mark.prefix(count)
      #expect(try Self.isFound(fixture, files, expected), "\(count) octets")
    }
    let other = try StoreFixture(inMemory: true)
    _ = try Self.fill(other, rounds: 1)
    files.mark = other.files().mark
    #expect(try Self.isFound(fixture, files, expected))
    files = whole
    files.main = Data()
    #expect(try Self.isFound(fixture, files, expected))
  }

  // MARK: Helpers

  /// Whether a store is refused; if it is not, it holds what it must.
  private static func isFound(
    _ fixture: StoreFixture, _ files: StoreFixture.Files, _ expected: DurableState?
  ) throws -> Bool {
    try fixture.put(files)
    do throws(StoreError) {
      let isExpected = try fixture.recover() == expected
      #expect(isExpected)
      return false
    } catch {
      let isNamed = [.corrupt, .wrongVersion, .foreign].contains(error.code)
      #expect(isNamed, "\(error)")
      return true
    }
  }

  /// A store that holds ten records, a snapshot, and a promise of the last round.
  private static func fill(_ fixture: StoreFixture, rounds: Int) throws -> DurableState? {
    let store = try ReplicaStore.open(path: fixture.path)
    try store.found(DurableState(joining: ClusterID(7), replica: store.identity))
    for number in 1...rounds { try store.write(round(number)) }
    let state = try store.recover()
    try store.close()
    return state
  }

  /// Ten votes of a ballot, and a snapshot.
  private static func round(_ number: Int) -> [WriteBatch] {
    let ballot = Ballot(round: UInt64(number), replica: ReplicaID(3))
    var writes: [Write] = [.promised(ballot)]
    for slot in 1...10 {
      let octets = [UInt8](repeating: UInt8(slot * number), count: 800)
      writes.append(.record(Record(slot: Slot(UInt64(slot)), ballot: ballot, entry: .command(octets))))
    }
    let founders = Membership(founders: [ReplicaID(UInt64(number))])
    let state = [UInt8](repeating: UInt8(number), count: 9000)
    let snapshot = Snapshot(slot: Slot(5), memberships: [founders], state: state)
    writes += [.snapshot(snapshot, logFrom: Slot(1)), .committed(Slot(6))]
    return [WriteBatch(id: WriteID(UInt64(number)), writes: writes)]
  }
}
