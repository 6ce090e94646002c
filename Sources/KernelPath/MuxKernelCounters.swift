public import Dataplane
public import Platform

/// What the kernel's programs have counted, all CPUs together.
public struct MuxKernelCounters: Sendable {
  /// What went to backends, in order of address and locator.
  public let backends: [BackendCount]
  /// What came to SNAT ranges, in order of VIP; VIPs that nothing came to are left out.
  public let vips: [VIPCount]
  /// Packets dropped, by reason; reasons that did not occur are left out.
  public let drops: [DropReason: UInt64]
  /// Echo requests answered.
  public let echoReplies: UInt64
  /// Packets left to user space since their next hop was not known.
  public let unresolved: UInt64
  /// Packets left to user space since they do not fit with an outer header.
  public let tooBig: UInt64
}

extension MuxKernel {
  /// Reads the counters of the endpoints of a map, which is the one in force or one that follows it.
  public func counters(_ map: VIPMap) throws(PlatformError) -> MuxKernelCounters {
    let cpus = BPFMap.possibleCPUs
    var rows = [KernelRow](repeating: KernelRow(), count: cpus)
    var backends: [BackendCount] = []
    for (address, target) in map.countedTargets where target.row != 0 {
      guard let sum = try sum(target, &rows) else { continue }
      backends.append(
        BackendCount(
          address: address, locator: target.locator, packets: sum.packets, bytes: sum.bytes,
          connections: sum.connections))
    }
    var vips: [VIPCount] = []
    for (vip, target) in map.countedVIPs where target.row != 0 {
      guard let sum = try sum(target, &rows), sum.packets > 0 else { continue }
      vips.append(VIPCount(vip: vip, packets: sum.packets, bytes: sum.bytes))
    }
    var totals = [UInt64](repeating: 0, count: KernelLayout.totals)
    var numbers = [UInt64](repeating: 0, count: cpus)
    for index in totals.indices {
      var span = numbers.mutableSpan
      guard try maps.totals.values(of: UInt32(index), into: &span) else { continue }
      totals[index] = numbers.reduce(0, +)
    }
    var drops: [DropReason: UInt64] = [:]
    for reason in DropReason.allCases where totals[Int(reason.rawValue)] > 0 {
      drops[reason] = totals[Int(reason.rawValue)]
    }
    return MuxKernelCounters(
      backends: backends, vips: vips, drops: drops,
      echoReplies: totals[KernelLayout.echoTotal], unresolved: totals[KernelLayout.unresolvedTotal],
      tooBig: totals[KernelLayout.tooBigTotal])
  }

  /// What all CPUs have counted in a target's row; `rows` has room for them.
  private func sum(_ target: Target, _ rows: inout [KernelRow]) throws(PlatformError) -> KernelRow? {
    var span = rows.mutableSpan
    guard try maps.rows.values(of: target.row, into: &span) else { return nil }
    var sum = KernelRow()
    for row in rows where row.generation == target.generation {
      sum.packets += row.packets
      sum.bytes += row.bytes
      sum.connections += row.connections
    }
    return sum
  }

  /// Removes records whose time is over, at a time in milliseconds; to be called about once a second.
  ///
  /// - Returns: the records that live.
  @discardableResult public func sweep(now: UInt32) throws(PlatformError) -> Int {
    var expired: [(key: KernelFlowKey, record: FlowRecord)] = []
    var alive = 0
    var untrusted = 0
    try maps.flows.forEach { (key: KernelFlowKey, record: FlowRecord) in
      // A program that meets an expired record begins it anew, which must not be mistaken for the old one.
      if record.isExpired(now &- Self.grace) {
        expired.append((key, record))
      } else {
        alive += 1
        if record.trust == .untrusted { untrusted += 1 }
      }
    }
    for (key, record) in expired {
      guard let present: FlowRecord = try maps.flows.value(of: key), present.isExpired(now &- Self.grace),
        try maps.flows.remove(key)
      else { continue }
      flowCounts.add(-1, to: Int(record.number))
    }
    flowCounts[KernelLayout.untrustedCount, as: UInt32.self] = UInt32(untrusted)
    return alive
  }

  /// Milliseconds from a record's end until it is removed.
  private static var grace: UInt32 { 2_000 }
}
