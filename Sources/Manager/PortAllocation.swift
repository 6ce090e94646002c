import Control
import Wire

/// Who has which ports of which VIP: a part of the manager's state.
///
/// Nothing here goes through all ranges, except what lists or saves them.
struct PortAllocation: Hashable, Sendable {
  /// What one VM has.
  struct Holding: Hashable, Sendable {
    var ranges: Set<PortRange> = []
    var recalledCount = 0
    /// How many ranges its last request got.
    var lastCount = 0
    /// When that was, milliseconds since 1970.
    var lastAt: UInt64 = 0

    /// Ranges that new connections may take.
    var usableCount: Int { ranges.count - recalledCount }
    /// How many ranges a request gets: who asks again soon gets twice as many as the last time.
    func nextCount(at time: UInt64) -> Int {
      guard lastCount > 0, time >= lastAt, time - lastAt <= Limits.demandMilliseconds else { return 1 }
      return min(2 * lastCount, Limits.rangesPerAnswer)
    }
    var isBlank: Bool { ranges.isEmpty && lastAt == 0 }
  }

  /// Ranges that a host had to let go of with one revision.
  struct Orphans: Hashable, Sendable {
    var revision: Revision
    var ranges: [PortRange]
  }

  /// By VIP; there is one for each VIP by which VMs leave, and as long as anybody has ports of it.
  private(set) var pools: [IPv4Address: PortPool] = [:]
  /// By VM.
  private(set) var holdings: [String: Holding] = [:]
  /// By node, in the order of revisions.
  private(set) var orphans: [String: [Orphans]] = [:]
  /// Ranges that are leased, of all VIPs together.
  private(set) var leasedCount = 0

  /// Nobody has any.
  var isEmpty: Bool { holdings.isEmpty && orphans.isEmpty }

  /// Whether MUXes have room for one more.
  var hasRoom: Bool { leasedCount < Limits.ranges }

  /// The grant of a range, if it is leased.
  func grant(_ range: PortRange) -> PortGrant? { pools[range.vip]?.grants[range.number] }

  /// Whether VMs have ports of the VIP.
  func hasGrants(of vip: IPv4Address) -> Bool { pools[vip]?.grants.isEmpty == false }

  // MARK: Pools

  /// VMs leave by this VIP, whose endpoints have these ports.
  mutating func open(_ vip: IPv4Address, without ports: some Sequence<UInt16>) {
    pools[vip, default: PortPool()].exclude(ports)
  }

  /// No VM leaves by this VIP any more; ports that are out come back to it.
  mutating func close(_ vip: IPv4Address) {
    pools[vip]?.exclude(EmptyCollection<UInt16>())
    if pools[vip]?.isEmpty == true { pools[vip] = nil }
  }

  // MARK: Leases

  /// Leases up to so many ranges of the VIPs, in their order, lowest ports first.
  mutating func lease(
    _ count: Int, of vips: [IPv4Address], to machine: String, at locator: IPv4Address, _ revision: Revision
  ) -> [PortRange] {
    var ranges: [PortRange] = []
    for vip in vips {
      while ranges.count < count, hasRoom, let number = pools[vip]?.take(for: locator, at: revision) {
        ranges.append(PortRange(vip, number: number))
        leasedCount += 1
      }
    }
    if !ranges.isEmpty { holdings[machine, default: Holding()].ranges.formUnion(ranges) }
    return ranges
  }

  /// A request was answered: what the next one gets depends on it.
  mutating func answered(_ machine: String, _ count: Int, at time: UInt64) {
    holdings[machine]?.lastCount = count
    holdings[machine]?.lastAt = time
  }

  /// The range is to go back; false if it was recalled before, or is not the VM's.
  mutating func recall(_ range: PortRange, of machine: String) -> Bool {
    guard let grant = grant(range), !grant.isRecalled else { return false }
    pools[range.vip]?.recall(range.number)
    holdings[machine]?.recalledCount += 1
    return true
  }

  /// The VM's host has stopped using the range: it is free.
  mutating func free(_ range: PortRange, of machine: String) {
    guard let grant = grant(range) else { return }
    pools[range.vip]?.free(range.number)
    leasedCount -= 1
    holdings[machine]?.ranges.remove(range)
    if grant.isRecalled { holdings[machine]?.recalledCount -= 1 }
    if holdings[machine]?.isBlank == true { holdings[machine] = nil }
  }

  // MARK: Orphans

  /// The VM is gone from this node: its ranges, sorted, are orphans of that revision.
  mutating func abandon(_ machine: String, on node: String, at revision: Revision) -> [PortRange] {
    guard let holding = holdings.removeValue(forKey: machine), !holding.ranges.isEmpty else { return [] }
    let ranges = holding.ranges.sorted()
    for range in ranges { pools[range.vip]?.orphan(range.number) }
    leasedCount -= ranges.count
    add(Orphans(revision: revision, ranges: ranges), of: node)
    return ranges
  }

  private mutating func add(_ batch: Orphans, of node: String) {
    var batches = orphans[node] ?? []
    if let index = batches.firstIndex(where: { $0.revision == batch.revision }) {
      batches[index].ranges = (batches[index].ranges + batch.ranges).sorted()
    } else {
      batches.append(batch)
      batches.sort { $0.revision < $1.revision }
    }
    orphans[node] = batches
  }

  /// Whether the node has let go of something when it runs that revision.
  func hasOrphans(of node: String, upTo revision: Revision) -> Bool {
    (orphans[node]?.first?.revision).map { $0 <= revision } ?? false
  }

  /// The node has let go of all that it had to by that revision; the VIPs whose ranges these were.
  mutating func release(_ node: String, upTo revision: Revision) -> Set<IPv4Address> {
    guard let batches = orphans[node] else { return [] }
    var vips: Set<IPv4Address> = []
    for batch in batches where batch.revision <= revision {
      for range in batch.ranges {
        pools[range.vip]?.release(range.number)
        vips.insert(range.vip)
      }
    }
    let rest = batches.filter { $0.revision > revision }
    orphans[node] = rest.isEmpty ? nil : rest
    return vips
  }

  // MARK: As it was saved

  /// A lease as it was saved.
  mutating func restore(_ range: PortRange, of machine: String, _ grant: PortGrant) {
    pools[range.vip, default: PortPool()].hold(range.number, grant)
    leasedCount += 1
    holdings[machine, default: Holding()].ranges.insert(range)
    if grant.isRecalled { holdings[machine]?.recalledCount += 1 }
  }

  /// Orphans as they were saved.
  mutating func restore(_ batch: Orphans, of node: String) {
    for range in batch.ranges { pools[range.vip, default: PortPool()].orphan(range.number) }
    add(batch, of: node)
  }

  /// A VM's last answer as it was saved.
  mutating func restore(_ machine: String, lastCount: Int, lastAt: UInt64) {
    holdings[machine, default: Holding()].lastCount = lastCount
    holdings[machine]?.lastAt = lastAt
  }
}
