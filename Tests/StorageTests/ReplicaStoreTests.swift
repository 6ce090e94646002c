import Foundation
import Paxos
import Storage
import Testing

@Suite("A replica's disk") struct ReplicaStoreTests {
  @Test("holds what DurableState says after every batch of every kind", arguments: 0..<24)
  func roundTrip(seed: Int) throws {
    let fixture = try StoreFixture()
    var (store, script) = try fixture.founded(seed: seed)
    var chance = Chance(seed: seed + 1000)
    #expect(try store.recover() == script.state)
    for _ in 0..<40 {
      let batches = (0..<chance.number(0..<4)).map { _ in script.next() }
      try store.write(batches)
      switch chance.number(0..<8) {
      case 0: #expect(try store.recover() == script.state, "seed \(seed), batch \(script.count)")
      case 1:
        try store.close()
        store = try ReplicaStore.open(path: fixture.path)
        #expect(try store.recover() == script.state, "seed \(seed), batch \(script.count)")
      default: break
      }
    }
    try store.close()
    #expect(try fixture.recover() == script.state, "seed \(seed)")
  }

  @Test("keeps numbers of 64 bits, and a command of the full size") func extremes() throws {
    let fixture = try StoreFixture()
    let store = try ReplicaStore.open(path: fixture.path)
    let highest = ReplicaID(.max)
    var state = DurableState(joining: ClusterID(.max), replica: store.identity)
    try store.found(state)
    let last = Slot(Limits.greatestNumber)
    let writes: [Write] = [
      .promised(Ballot(round: .max, replica: highest)),
      .record(
        Record(
          slot: last, ballot: Ballot(round: .max, replica: highest),
          entry: .command([UInt8](repeating: 0xa5, count: Limits.commandBytes)))),
      .record(Record(slot: Slot(1), ballot: .none, entry: .membership(.add(highest)))),
      .committed(last),
    ]
    try store.write([WriteBatch(id: WriteID(1), writes: writes), WriteBatch(id: WriteID(2), writes: [])])
    for write in writes { state.apply(write) }
    try store.close()
    #expect(try fixture.recover() == state)
  }

  @Test("belongs to no cluster until it is founded, and keeps its identifier") func unfounded() throws {
    let fixture = try StoreFixture()
    let store = try ReplicaStore.open(path: fixture.path)
    #expect(try store.recover() == nil)
    try store.close()
    let again = try ReplicaStore.open(path: fixture.path)
    #expect(try again.recover() == nil)
    #expect(again.identity == store.identity && store.identity != ReplicaID(0))
    let state = DurableState(joining: ClusterID(7), replica: again.identity)
    try again.found(state)
    try again.close()
    #expect(try fixture.recover() == state)
    let other = try StoreFixture()
    #expect(try ReplicaStore.open(path: other.path).identity != store.identity)
  }

  @Test("is founded once, and under its own identifier") func foundedOnce() throws {
    let fixture = try StoreFixture()
    let store = try ReplicaStore.open(path: fixture.path)
    let mine = DurableState(joining: ClusterID(7), replica: store.identity)
    let other = DurableState(joining: ClusterID(7), replica: ReplicaID(store.identity.number &+ 1))
    let refused = #expect(throws: StoreError.self) { try store.found(other) }
    #expect(refused?.code == .anotherReplica)
    try store.found(mine)
    #expect(throws: StoreError.self) { try store.found(mine) }
    var script = Script(seed: 1, replica: store.identity)
    let batch = script.next()
    try store.write([batch])
    try store.close()
    let again = try ReplicaStore.open(path: fixture.path)
    let twice = #expect(throws: StoreError.self) { try again.found(mine) }
    #expect(twice?.code == .founded)
    var expected = mine
    for write in batch.writes { expected.apply(write) }
    #expect(try again.recover() == expected)
  }

  @Test("a second one on the same file is refused") func locked() throws {
    let fixture = try StoreFixture()
    var (store, script) = try fixture.founded(seed: 1)
    let error = #expect(throws: StoreError.self) { try ReplicaStore.open(path: fixture.path) }
    #expect(error?.code == .locked)
    #expect(error?.description.contains("stop the other manager") == true)
    try store.write([script.next()])
    try store.close()
    #expect(try fixture.recover() == script.state)
  }

  @Test("another process's is refused") func lockedByProcess() async throws {
    let fixture = try StoreFixture()
    var (store, script) = try fixture.founded(seed: 1)
    let path = fixture.path
    await #expect(processExitsWith: .exitCode(7)) { [path = path as String] in
      do throws(StoreError) {
        _ = try ReplicaStore.open(path: path)
      } catch {
        exit(error.code == .locked ? 7 : 8)
      }
    }
    try store.write([script.next()])
    try store.close()
    #expect(try fixture.recover() == script.state)
  }

  @Test("a directory that is not there is named") func noDirectory() {
    let error = #expect(throws: StoreError.self) { try ReplicaStore.open(path: "/nowhere/at/all/replica.db") }
    #expect(error?.code == .cannotOpen)
    #expect(error?.description.contains("/nowhere/at/all/replica.db") == true)
  }

  @Test("a file of another format is refused, and stays as it is") func version() throws {
    let fixture = try StoreFixture()
    _ = try fixture.fill(seed: 1, batches: 5)
    try fixture.tamper("PRAGMA user_version = 2")
    let before = fixture.files()
    let error = #expect(throws: StoreError.self) { try fixture.recover() }
    #expect(error?.code == .wrongVersion)
    #expect(error?.detail.contains("its format is 2") == true, "\(error?.detail ?? "")")
    let isUntouched = fixture.files() == before
    #expect(isUntouched)
  }

  @Test("a database of somebody else is refused, and stays as it is") func foreign() throws {
    let fixture = try StoreFixture()
    try fixture.tamper("CREATE TABLE recipes (name TEXT)")
    try expectForeign(fixture)
  }

  @Test("a file that is no database is refused, and stays as it is", arguments: [1, 4096, 100_000])
  func text(size: Int) throws {
    let fixture = try StoreFixture()
    try fixture.put(StoreFixture.Files(main: Data(repeating: 0x41, count: size)))
    try expectForeign(fixture)
    try fixture.put(StoreFixture.Files(main: Data(count: size)))
    let before = fixture.files().main
    #expect(throws: StoreError.self) { try ReplicaStore.open(path: fixture.path) }
    let isUntouched = fixture.files().main == before
    #expect(isUntouched)
  }

  private func expectForeign(_ fixture: StoreFixture) throws {
    let before = fixture.files()
    let error = #expect(throws: StoreError.self) { try ReplicaStore.open(path: fixture.path) }
    #expect(error?.code == .foreign)
    let isUntouched = fixture.files() == before
    #expect(isUntouched)
    #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory) == ["replica.db"])
  }

  @Test("an empty file is as good as none") func empty() throws {
    let fixture = try StoreFixture()
    #expect(FileManager.default.createFile(atPath: fixture.path, contents: nil))
    let expected = try fixture.fill(seed: 3, batches: 9)
    #expect(try fixture.recover() == expected)
  }
}
