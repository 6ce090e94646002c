internal import Control
internal import Dataplane
internal import Wire

/// The leased ranges that a MUX goes by: changed in place under its workers and the kernel's programs, from the next
/// packet on.
struct MuxPorts {
  /// Read by all workers and, where there is a way through the kernel, by its programs.
  private(set) var ranges: SNATRanges
  /// How many ranges each VIP has.
  private var counts: [IPv4Address: Int] = [:]
  /// Ranges that did not get into the table, and why.
  private var refused: [PortRange: (locator: IPv4Address, error: SNATRangeError)] = [:]

  init(_ ranges: SNATRanges) { self.ranges = ranges }

  /// VIPs with ranges, whose packets must find their way here.
  var vips: Dictionary<IPv4Address, Int>.Keys { counts.keys }

  /// Ranges whose answers find no way, in a sentence.
  ///
  /// They are no reason not to acknowledge: one VM misses a few ports, and without the acknowledgement of every MUX
  /// no VM at all would get new ones.
  var problems: [String] {
    guard let (range, reason) = refused.min(by: { $0.key < $1.key }) else { return [] }
    return [
      "\(refused.count) ranges of leased ports cannot be taken up, \(range) among them: \(reason.error)"
    ]
  }

  /// Becomes what the manager's snapshot says, whatever was there before.
  mutating func become(_ wanted: [PortRange: IPv4Address]) {
    refused = [:]
    counts = [:]
    for range in wanted.keys { counts[range.vip, default: 0] += 1 }
    let stale = ranges.leases.map(\.range).filter { range in
      PortRange(range).map { wanted[$0] == nil } ?? true
    }
    for range in stale { ranges.takeBack(range) }
    for (range, locator) in wanted where ranges.locator(SNATRange(range)) != locator { lease(range, locator) }
  }

  /// Carries out what changes; whether VIPs are among those with ranges now that were not, or no more.
  mutating func carryOut(_ commands: [Command]) -> Bool {
    var isOtherVIPs = false
    for command in commands {
      switch command {
      case .setPortRange(let lease):
        if !has(lease.range) {
          isOtherVIPs = isOtherVIPs || counts[lease.range.vip] == nil
          counts[lease.range.vip, default: 0] += 1
        }
        self.lease(lease.range, lease.locator)
      case .removePortRange(let range):
        guard has(range) else { continue }
        refused[range] = nil
        ranges.takeBack(SNATRange(range))
        let left = (counts[range.vip] ?? 1) - 1
        counts[range.vip] = left == 0 ? nil : left
        isOtherVIPs = isOtherVIPs || left == 0
      default: break
      }
    }
    return isOtherVIPs
  }

  /// Tries again what found no room.
  mutating func retry() {
    for (range, reason) in refused { lease(range, reason.locator) }
  }

  /// Goes on in a table that the kernel's programs read.
  mutating func move(to shared: SNATRanges) {
    shared.copy(ranges)
    ranges = shared
  }

  private func has(_ range: PortRange) -> Bool {
    refused[range] != nil || ranges.locator(SNATRange(range)) != nil
  }

  private mutating func lease(_ range: PortRange, _ locator: IPv4Address) {
    do throws(SNATRangeError) {
      try ranges.lease(SNATRange(range), to: locator)
      if !refused.isEmpty { refused[range] = nil }
    } catch {
      // The answers are nobody's rather than those of the VM before.
      ranges.takeBack(SNATRange(range))
      refused[range] = (locator, error)
    }
  }
}

extension SNATRange {
  /// A range as the manager's commands name it.
  init(_ range: PortRange) { self.init(vip: range.vip, holding: range.firstPort) }
}

extension PortRange {
  /// A range as the packet path names it; nil when its ports are never leased.
  init?(_ range: SNATRange) { self.init(vip: range.vip, firstPort: range.firstPort) }
}
