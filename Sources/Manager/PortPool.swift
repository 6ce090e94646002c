import Control
import Wire

/// To whom a range of ports is leased.
struct PortGrant: Hashable, Sendable {
  /// The VM, by its locator.
  var locator: IPv4Address
  /// It is to go back when its connections end.
  var isRecalled = false
  /// Of the entry that leased it: a range that comes back and goes out again is another grant.
  var revision: Revision
}

/// The ports of one VIP: 8,064 ranges of 8, those leased and those whose host has not let go of them yet.
///
/// A bit for each range, 1 KB, and a grant for each that is leased.
struct PortPool: Hashable, Sendable {
  private static let words = 128
  private static let first = Int(Control.Limits.firstLeasedPort) / PortRange.portCount

  /// Ranges that are leased or orphaned; those below the first are always taken.
  private var taken: [UInt64]
  /// Ranges that hold an endpoint's port; empty if there are none.
  private var excluded: [UInt64] = []
  /// By the number of the range: its first port, shifted by three.
  private(set) var grants: [UInt16: PortGrant] = [:]
  private(set) var orphanCount = 0

  init() {
    taken = Array(repeating: 0, count: Self.words)
    for number in 0..<Self.first { taken[number >> 6] |= 1 << UInt64(number & 63) }
  }

  /// Nobody has any of its ports.
  var isEmpty: Bool { grants.isEmpty && orphanCount == 0 }

  /// Ranges that can be leased.
  var capacity: Int {
    Self.words * 64 - Self.first - excluded.reduce(0) { $0 + $1.nonzeroBitCount }
  }

  /// Ranges that can be leased and are not.
  var free: Int {
    taken.indices.reduce(0) { $0 + (~(taken[$1] | mask($1))).nonzeroBitCount }
  }

  private func mask(_ word: Int) -> UInt64 { excluded.isEmpty ? 0 : excluded[word] }

  /// Leaves out the ranges that hold one of these ports, from now on.
  mutating func exclude(_ ports: some Sequence<UInt16>) {
    var words: [UInt64] = []
    for port in ports where Int(port) >= Int(Control.Limits.firstLeasedPort) {
      if words.isEmpty { words = Array(repeating: 0, count: Self.words) }
      let number = Int(port) / PortRange.portCount
      words[number >> 6] |= 1 << UInt64(number & 63)
    }
    excluded = words
  }

  /// Whether the range holds an endpoint's port.
  func excludes(_ number: UInt16) -> Bool { mask(Int(number) >> 6) & bit(number) != 0 }

  private func bit(_ number: UInt16) -> UInt64 { 1 << UInt64(number & 63) }

  /// Whether any range can be leased.
  var hasFree: Bool { taken.indices.contains { ~(taken[$0] | mask($0)) != 0 } }

  /// Leases the lowest free range; nil when there is none.
  mutating func take(for locator: IPv4Address, at revision: Revision) -> UInt16? {
    for word in taken.indices {
      let free = ~(taken[word] | mask(word))
      guard free != 0 else { continue }
      let number = UInt16(word << 6 + free.trailingZeroBitCount)
      hold(number, PortGrant(locator: locator, revision: revision))
      return number
    }
    return nil
  }

  /// The range is leased.
  mutating func hold(_ number: UInt16, _ grant: PortGrant) {
    taken[Int(number) >> 6] |= bit(number)
    grants[number] = grant
  }

  /// The range is to go back.
  mutating func recall(_ number: UInt16) { grants[number]?.isRecalled = true }

  /// Nobody has the range.
  mutating func free(_ number: UInt16) {
    taken[Int(number) >> 6] &= ~bit(number)
    grants[number] = nil
  }

  /// The VM is gone, and its host may use the range still.
  mutating func orphan(_ number: UInt16) {
    grants[number] = nil
    taken[Int(number) >> 6] |= bit(number)
    orphanCount += 1
  }

  /// The host has let go of an orphan.
  mutating func release(_ number: UInt16) {
    taken[Int(number) >> 6] &= ~bit(number)
    orphanCount -= 1
  }
}

extension PortRange {
  /// Its number within the VIP.
  var number: UInt16 { firstPort >> 3 }

  /// The range of that number; it is one.
  init(_ vip: IPv4Address, number: UInt16) {
    guard let range = PortRange(vip: vip, firstPort: number << 3) else {
      preconditionFailure("no range of leased ports")
    }
    self = range
  }
}
