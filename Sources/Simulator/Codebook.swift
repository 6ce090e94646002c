import Control
import Manager
import Paxos

/// What the octets in the log stand for.
///
/// The core has no JSON, so a command is a number in this table, and so is a snapshot. All managers of a world share
/// one.
final class Codebook {
  private(set) var entries: [Manager::Entry] = []
  private var snapshots: [ManagerSnapshot] = []

  func octets(of entry: Manager::Entry) -> [UInt8] {
    entries.append(entry)
    return Self.octets(entries.count - 1)
  }

  func entry(_ octets: [UInt8]) -> Manager::Entry? {
    let index = Self.index(octets)
    return entries.indices.contains(index) ? entries[index] : nil
  }

  func octets(of snapshot: ManagerSnapshot) -> [UInt8] {
    snapshots.append(snapshot)
    return Self.octets(snapshots.count - 1)
  }

  func state(_ octets: [UInt8]) -> ManagerState? {
    let index = Self.index(octets)
    return snapshots.indices.contains(index) ? ManagerState(snapshots[index]) : nil
  }

  static func index(_ octets: [UInt8]) -> Int {
    octets.reduce(0) { $0 << 8 | Int($1) }
  }

  private static func octets(_ index: Int) -> [UInt8] {
    [
      UInt8(truncatingIfNeeded: index >> 16), UInt8(truncatingIfNeeded: index >> 8),
      UInt8(truncatingIfNeeded: index),
    ]
  }
}
