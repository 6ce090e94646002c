public import Dataplane
public import Platform
public import Wire

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
    let targets = map.countedTargets.filter { $0.target.row != 0 }
    let owners = map.countedVIPs.filter { $0.target.row != 0 }
    let rows = try rows(of: targets.map(\.target) + owners.map(\.target))
    let backends = targets.map { address, target in
      let row = rows[Int(target.row), default: KernelRow()]
      return BackendCount(
        address: address, locator: target.locator, packets: row.packets, bytes: row.bytes,
        connections: row.connections)
    }
    let vips = owners.compactMap { vip, target in
      rows[Int(target.row)].map { VIPCount(vip: vip, packets: $0.packets, bytes: $0.bytes) }
    }
    var totals = [UInt64](repeating: 0, count: KernelLayout.totals)
    try maps.totals.forEachPerCPU { (index: UInt32, numbers: Span<UInt64>) in
      for cpu in numbers.indices { totals[Int(index)] += numbers[cpu] }
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

  /// The device and MAC address of every next hop that packets to the backends of a map, or to leased ranges,
  /// have taken, with a number that changes while packets take it.
  public func nextHops(_ map: VIPMap) throws(PlatformError) -> [KernelDevice: UInt64] {
    let end = (map.countedTargets.map { Int($0.target.row) }.max() ?? -1) + 1
    var hops: [KernelDevice: UInt64] = [:]
    func add(_ hop: KernelNextHop) {
      guard hop.epoch != 0 else { return }
      hops[KernelDevice(hop), default: 0] += UInt64(hop.epoch)
    }
    try maps.rows.forEachPerCPU(first: end) { (_: UInt32, rows: Span<KernelRow>) in
      for cpu in rows.indices { add(rows[cpu].nextHop) }
    }
    try maps.snatHops.forEachPerCPU { (_: UInt32, hops: Span<KernelNextHop>) in
      for cpu in hops.indices { add(hops[cpu]) }
    }
    return hops
  }

  /// The rows of backends, all CPUs together; those of which nothing is counted are left out.
  private func rows(of targets: [Target]) throws(PlatformError) -> [Int: KernelRow] {
    var generations: [Int: UInt32] = [:]
    for target in targets { generations[Int(target.row)] = target.generation }
    var sums: [Int: KernelRow] = [:]
    func add(_ index: Int, _ rows: Span<KernelRow>) {
      guard let generation = generations[index] else { return }
      var sum = KernelRow()
      for cpu in rows.indices where rows[cpu].generation == generation {
        sum.packets += rows[cpu].packets
        sum.bytes += rows[cpu].bytes
        sum.connections += rows[cpu].connections
      }
      if sum.packets != 0 { sums[index] = sum }
    }
    let end = (generations.keys.max() ?? -1) + 1
    // Rows are given out from the first one on, so that hardly any are read in vain: 256 by one system call.
    guard end > Self.sparse * generations.count else {
      try maps.rows.forEachPerCPU(first: end) { (index: UInt32, rows: Span<KernelRow>) in
        add(Int(index), rows)
      }
      return sums
    }
    var rows = [KernelRow](repeating: KernelRow(), count: BPFMap.possibleCPUs)
    for index in generations.keys.sorted() {
      var span = rows.mutableSpan
      guard try maps.rows.values(of: UInt32(index), into: &span) else { continue }
      add(index, rows.span)
    }
    return sums
  }

  /// So many rows are read by a batch in the time that one takes by itself, or more.
  private static var sparse: Int { 8 }

  /// What the programs have recorded of a connection to the endpoint of a number, unless it has ended at a time
  /// in milliseconds.
  ///
  /// Costs a system call where the endpoint has any record, and else nothing.
  public func record(of connection: FiveTuple, number: UInt32, now: UInt32) -> FlowRecord? {
    let place = Int(number) & (Limits.endpoints - 1)
    guard flowCounts[place, as: UInt32.self] != 0,
      let record: FlowRecord = try? maps.flows.value(of: KernelFlowKey(connection)), !record.isExpired(now)
    else { return nil }
    return record
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
