import Control
import Wire

/// Leases that are durable and not known to all MUXes yet: their hosts are told when they are.
struct NodeLeases {
  /// A lease of one entry.
  struct Unripe {
    var revision: Revision
    var lease: PortLease
  }

  private var items: [Unripe] = []
  private var first = 0
  private var counts: [IPv4Address: Int] = [:]

  /// Whether the VM is about to get something.
  func awaits(_ locator: IPv4Address) -> Bool { counts[locator] != nil }

  /// An entry has leased these.
  mutating func add(_ leases: [PortLease], at revision: Revision) {
    for lease in leases {
      items.append(Unripe(revision: revision, lease: lease))
      counts[lease.locator, default: 0] += 1
    }
  }

  /// All MUXes know these now.
  mutating func ripen(upTo revision: Revision) -> [Unripe] {
    var ripe: [Unripe] = []
    while first < items.count, items[first].revision <= revision {
      let item = items[first]
      ripe.append(item)
      first += 1
      let count = counts[item.lease.locator] ?? 1
      counts[item.lease.locator] = count > 1 ? count - 1 : nil
    }
    if first == items.count || first >= 1024 {
      items.removeFirst(first)
      first = 0
    }
    return ripe
  }
}
