import Control
import Foundation
import GRDB
import Manager
import Storage
import Wire

/// A directory for one test's journal, removed with it.
final class JournalFixture: Sendable {
  let directory: String
  var path: String { directory + "/journal.db" }

  init() throws {
    directory = NSTemporaryDirectory() + "ananta-journal-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// Entries that each make a virtual network.
  static func entries(_ range: Range<Int>) -> [Entry] {
    range.map { index in
      let network = VirtualNetwork(
        name: "net-\(index)", prefixes: [IPv4Prefix(IPv4Address(10, 0, 0, 0), length: 24)])
      return .operation(.apply([.virtualNetwork(network)]))
    }
  }

  /// The state that the first entries make.
  static func state(_ count: Int) -> ManagerState {
    var state = ManagerState()
    for entry in entries(0..<count) { _ = state.apply(entry, at: Revision(state.revision.number + 1)) }
    return state
  }

  /// Makes a journal of entries, of which some are in its snapshot, and closes it.
  func fill(_ count: Int, inSnapshot: Int = 0) throws {
    let journal = try Journal(path: path)
    _ = try journal.recoverNow()
    _ = try journal.record(Self.entries(0..<count))
    if inSnapshot > 0 { try journal.shorten(to: Self.state(inSnapshot)) }
    try journal.close()
  }

  /// Changes the closed file behind the journal's back.
  func tamper(_ sql: String) throws {
    let database = try DatabaseQueue(path: path)
    try database.write { try $0.execute(sql: sql) }
    try database.close()
  }

  /// What the file holds after a new start.
  func recover() throws -> Journal.Recovery {
    let journal = try Journal(path: path)
    defer { try? journal.close() }
    return try journal.recoverNow()
  }
}
