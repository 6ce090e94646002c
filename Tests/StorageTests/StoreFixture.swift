import Foundation
import GRDB
import Paxos
import Storage

/// A directory for one test's store, removed with it.
final class StoreFixture: Sendable {
  let directory: String
  var path: String { directory + "/replica.db" }

  /// In memory where a test models the disk itself and makes thousands of stores.
  init(inMemory: Bool = false) throws {
    let isInMemory = inMemory && FileManager.default.isWritableFile(atPath: "/dev/shm")
    directory = (isInMemory ? "/dev/shm/" : NSTemporaryDirectory()) + "ananta-store-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// A store that was founded as a script begins.
  func founded(seed: Int, entryOctets: Int = 200) throws -> (ReplicaStore, Script) {
    let store = try ReplicaStore.open(path: path)
    let script = Script(seed: seed, replica: store.identity, entryOctets: entryOctets)
    try store.found(script.state)
    return (store, script)
  }

  /// Makes a store that holds some batches of a script, closes it, and returns what it must hold.
  func fill(seed: Int, batches: Int) throws -> DurableState {
    var (store, script) = try founded(seed: seed)
    for _ in 0..<batches { try store.write([script.next()]) }
    try store.close()
    return script.state
  }

  /// What the file holds after a new start.
  func recover() throws(StoreError) -> DurableState? {
    let store = try ReplicaStore.open(path: path)
    defer { try? store.close() }
    return try store.recover()
  }

  /// Changes the closed file behind the store's back.
  func tamper(_ sql: String) throws {
    let database = try DatabaseQueue(path: path)
    try database.write { try $0.execute(sql: sql) }
    try database.close()
  }

  /// Puts rows of another closed file in place of those here.
  func copy(_ rows: String, into table: String, from other: StoreFixture) throws {
    let database = try DatabaseQueue(path: path)
    try database.writeWithoutTransaction { database in
      try database.execute(sql: "ATTACH ? AS older", arguments: [other.path])
      try database.execute(sql: "INSERT OR REPLACE INTO \(table) SELECT * FROM older.\(rows)")
    }
    try database.close()
  }

  // MARK: The files

  /// The three files of a store at one time; without octets where there is none.
  struct Files: Equatable {
    var main = Data()
    var log = Data()
    var mark = Data()
  }

  func files() -> Files {
    func octets(_ suffix: String) -> Data {
      FileManager.default.contents(atPath: path + suffix) ?? Data()
    }
    return Files(main: octets(""), log: octets("-wal"), mark: octets("-mark"))
  }

  /// Puts files in place of all that there are.
  func put(_ files: Files) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
      try FileManager.default.removeItem(atPath: directory + "/" + name)
    }
    for (suffix, octets) in [("", files.main), ("-wal", files.log), ("-mark", files.mark)]
    where !octets.isEmpty { try octets.write(to: URL(fileURLWithPath: path + suffix)) }
  }
}
