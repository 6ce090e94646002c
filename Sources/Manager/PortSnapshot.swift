public import Control
public import Wire

/// Who has which ports, as it is kept on disk: ranges by what they have in common, since there may be
/// 1,048,576 of them (`Limits.ranges`).
public struct PortSnapshot: Codable, Hashable, Sendable {
  /// Ranges of one VIP that one entry leased to one VM.
  public struct Grant: Codable, Hashable, Sendable {
    /// The VIP.
    public var vip: IPv4Address
    /// The VM's name.
    public var machine: String
    /// Of the entry.
    public var revision: Revision
    /// Whether they were recalled.
    public var isRecalled: Bool
    /// The first port of each.
    public var ports: [UInt16]
  }
  /// Ranges of one VIP of which a host has not let go yet.
  public struct Orphan: Codable, Hashable, Sendable {
    /// The VIP.
    public var vip: IPv4Address
    /// The host.
    public var node: String
    /// With which it has to.
    public var revision: Revision
    /// The first port of each.
    public var ports: [UInt16]
  }
  /// The last request of a VM.
  public struct Answer: Codable, Hashable, Sendable {
    /// The VM's name.
    public var machine: String
    /// How many ranges it got.
    public var count: Int
    /// When, milliseconds since 1970.
    public var at: UInt64
  }
  /// By VIP, VM, revision, recalled ones last.
  public var grants: [Grant]
  /// By VIP, node, revision.
  public var orphans: [Orphan]
  /// By VM.
  public var answers: [Answer]

  /// Writes an allocation down; nil when nobody has any ports.
  init?(_ allocation: PortAllocation) {
    guard !allocation.isEmpty else { return nil }
    var grants: [Grant] = []
    var orphans: [Orphan] = []
    for (machine, holding) in allocation.holdings.sorted(by: { $0.key < $1.key }) {
      grants += Self.grants(of: machine, holding, allocation)
    }
    for (node, batches) in allocation.orphans.sorted(by: { $0.key < $1.key }) {
      for batch in batches {
        for range in batch.ranges {
          if let last = orphans.indices.last, orphans[last].vip == range.vip, orphans[last].node == node,
            orphans[last].revision == batch.revision
          {
            orphans[last].ports.append(range.firstPort)
          } else {
            orphans.append(
              Orphan(vip: range.vip, node: node, revision: batch.revision, ports: [range.firstPort]))
          }
        }
      }
    }
    self.grants = grants
    self.orphans = orphans
    answers = allocation.holdings.filter { $0.value.lastAt > 0 || $0.value.lastCount > 0 }
      .map { Answer(machine: $0.key, count: $0.value.lastCount, at: $0.value.lastAt) }
      .sorted { $0.machine < $1.machine }
  }

  private static func grants(
    of machine: String, _ holding: PortAllocation.Holding, _ allocation: PortAllocation
  ) -> [Grant] {
    struct Key: Hashable, Comparable {
      var vip: IPv4Address
      var revision: Revision
      var isRecalled: Bool
      static func < (a: Self, b: Self) -> Bool {
        (a.vip, a.revision, a.isRecalled ? 1 : 0) < (b.vip, b.revision, b.isRecalled ? 1 : 0)
      }
    }
    var groups: [Key: [UInt16]] = [:]
    for range in holding.ranges {
      guard let grant = allocation.grant(range) else { continue }
      let key = Key(vip: range.vip, revision: grant.revision, isRecalled: grant.isRecalled)
      groups[key, default: []].append(range.firstPort)
    }
    return groups.sorted { $0.key < $1.key }.map { key, ports in
      Grant(
        vip: key.vip, machine: machine, revision: key.revision, isRecalled: key.isRecalled,
        ports: ports.sorted())
    }
  }

  /// Takes an allocation up where it was written down, with the locator of each VM.
  func allocation(_ locators: [String: IPv4Address]) -> PortAllocation {
    var allocation = PortAllocation()
    for grant in grants {
      guard let locator = locators[grant.machine] else { continue }
      for port in grant.ports {
        guard let range = PortRange(vip: grant.vip, firstPort: port) else { continue }
        allocation.restore(
          range, of: grant.machine,
          PortGrant(locator: locator, isRecalled: grant.isRecalled, revision: grant.revision))
      }
    }
    for orphan in orphans {
      let ranges = orphan.ports.compactMap { PortRange(vip: orphan.vip, firstPort: $0) }
      allocation.restore(.init(revision: orphan.revision, ranges: ranges), of: orphan.node)
    }
    for answer in answers {
      allocation.restore(answer.machine, lastCount: answer.count, lastAt: answer.at)
    }
    return allocation
  }
}
