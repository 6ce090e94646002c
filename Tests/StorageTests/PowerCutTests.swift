import Foundation
import Paxos
import Storage
import Testing

/// A model of a disk that loses its power: what was synced is there, of what was not any sector may be.
///
/// The files are copied before and after a write. SQLite first appends to its write-ahead log and syncs it; now
/// and then it then copies pages from the log into the main file, syncs that, and begins the log anew, whose
/// header it syncs first. The mark is never synced, so any that was written may be found.
@Suite("A replica's disk without power") struct PowerCutTests {
  @Test("holds what was confirmed, whatever reached the disk of what was not", arguments: 0..<3)
  func cut(seed: Int) throws {
    let fixture = try StoreFixture(inMemory: true)
    let copy = try StoreFixture(inMemory: true)
    var chance = Chance(seed: seed)
    var (store, script) = try fixture.founded(seed: seed, entryOctets: 80_000)
    var before = fixture.files()
    var (checkpoints, beginnings) = (0, 0)
    for step in 0..<120 {
      let old = script.state
      try store.write([script.next()])
      let after = fixture.files()
      let isCheckpoint = before.main != after.main
      let isBeginning = before.log.prefix(32) != after.log.prefix(32)
      if isCheckpoint { checkpoints += 1 }
      if isBeginning { beginnings += 1 }
      if isCheckpoint || isBeginning || step % 12 == 0 {
        for _ in 0..<3 {
          var files = before
          files.log = Self.torn(before.log, after.log, &chance)
          try expect([old, script.state], copy, files)
        }
        var files = after
        files.main = Self.torn(before.main, after.main, &chance)
        files.mark = chance.number(0..<2) == 0 ? before.mark : after.mark
        try expect([script.state], copy, files)
      }
      before = after
    }
    #expect(checkpoints > 1 && beginnings > 1)
    try store.close()
  }

  private func expect(_ states: [DurableState], _ copy: StoreFixture, _ files: StoreFixture.Files) throws {
    try copy.put(files)
    let found = try copy.recover()
    let isExpected = states.contains { $0 == found }
    #expect(isExpected, "round \(found?.promised.round ?? 0), not \(states.map(\.promised.round))")
  }

  /// A file while it is written: each sector old or new, and an end somewhere in between.
  ///
  /// A write-ahead log that begins anew gets its header first.
  private static func torn(_ before: Data, _ after: Data, _ chance: inout Chance) -> Data {
    var file = before
    if before.prefix(32) != after.prefix(32), !before.isEmpty {
      file.replaceSubrange(0..<32, with: after.prefix(32))
      if chance.number(0..<4) == 0 { return file }
    }
    let share = chance.number(0..<101)
    for start in stride(from: 0, to: after.count, by: 512) where chance.number(0..<100) < share {
      let end = min(start + 512, after.count)
      if file.count < end { file.append(Data(count: end - file.count)) }
      file.replaceSubrange(start..<end, with: after[start..<end])
    }
    return file
  }
}
