#if !$Embedded
public import Synchronization
public import Wire

/// What one endpoint sent to one backend.
public struct BackendCount: Hashable, Sendable {
  /// The endpoint.
  public let address: EndpointAddress
  /// The backend.
  public let locator: IPv4Address
  /// Packets sent; a super-packet is one.
  public let packets: UInt64
  /// Bytes of the inner packets.
  public let bytes: UInt64
  /// SYNs of TCP; always 0 of UDP.
  public let connections: UInt64

  /// Joins them.
  public init(
    address: EndpointAddress, locator: IPv4Address, packets: UInt64, bytes: UInt64, connections: UInt64
  ) {
    self.address = address
    self.locator = locator
    self.packets = packets
    self.bytes = bytes
    self.connections = connections
  }
}

/// What one worker counts; any thread may read it.
///
/// One thread writes, by relaxed atomic loads and stores, which cost what plain ones cost. Each number is
/// whole at any moment, but two numbers may be read some packets apart.
@safe public final class MuxCounters: @unchecked Sendable {
  /// The counters of a pair of endpoint and backend.
  @usableFromInline struct Row: ~Copyable {
    @usableFromInline let packets = Atomic<UInt64>(0)
    @usableFromInline let bytes = Atomic<UInt64>(0)
    @usableFromInline let connections = Atomic<UInt64>(0)
    @usableFromInline let generation = Atomic<UInt32>(0)
    init() {}
  }
  /// What is counted of all packets together.
  public enum Total: Int, CaseIterable, Sendable {
    /// Packets that came in.
    case packets
    /// Their bytes.
    case bytes
    /// Handed to the stack, since they were not to a VIP.
    case passed
    /// Sent to a backend.
    case encapsulated
    /// Echo requests answered.
    case echoReplies
    /// Answered with "fragmentation needed".
    case fragmentationNeeded
  }
  let rows: UnsafeMutablePointer<Row>
  let rowCount: Int
  let reasons: UnsafeMutablePointer<Atomic<UInt64>>
  let totals: UnsafeMutablePointer<Atomic<UInt64>>

  /// All zero; `rowCount` as many as the VIP map has.
  public init(rowCount: Int = Limits.counterRows) {
    precondition(rowCount > 0, "row 0 is always there")
    self.rowCount = rowCount
    unsafe rows = .allocate(capacity: rowCount)
    for row in 0..<rowCount { unsafe (rows + row).initialize(to: Row()) }
    unsafe reasons = Self.zeros(DropReason.allCases.count)
    unsafe totals = Self.zeros(Total.allCases.count)
  }

  deinit {
    unsafe rows.deallocate()
    unsafe reasons.deallocate()
    unsafe totals.deallocate()
  }

  private static func zeros(_ count: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    let numbers = UnsafeMutablePointer<Atomic<UInt64>>.allocate(capacity: count)
    for place in 0..<count { unsafe (numbers + place).initialize(to: Atomic(0)) }
    return unsafe numbers
  }

  /// A total.
  public subscript(total: Total) -> UInt64 {
    unsafe totals[total.rawValue].load(ordering: .relaxed)
  }

  /// Packets dropped, by reason; reasons that did not occur are left out.
  public var drops: [DropReason: UInt64] {
    var result: [DropReason: UInt64] = [:]
    for reason in DropReason.allCases {
      let count = unsafe reasons[Int(reason.rawValue)].load(ordering: .relaxed)
      if count > 0 { result[reason] = count }
    }
    return result
  }

  /// What went to the backends of a map, in order of address and locator.
  ///
  /// A backend that has left is listed as long as connections may still be on it.
  public func backends(_ map: VIPMap) -> [BackendCount] {
    var result: [BackendCount] = []
    for state in map.states {
      for target in state.counted.sorted(by: { $0.locator < $1.locator }) where target.row != 0 {
        result.append(count(target, state.configuration.address))
      }
    }
    return result
  }

  /// What came to the SNAT ranges of a map's VIPs, in order; those that nothing came to are left out.
  public func vips(_ map: VIPMap) -> [VIPCount] {
    map.vipRows.compactMap { row in
      guard row.target.row != 0 else { return nil }
      let count = count(row.target, row.address)
      return count.packets == 0 ? nil : VIPCount(vip: row.vip, packets: count.packets, bytes: count.bytes)
    }
  }

  private func count(_ target: Target, _ address: EndpointAddress) -> BackendCount {
    guard Int(target.row) < rowCount,
      unsafe rows[Int(target.row)].generation.load(ordering: .acquiring) == target.generation
    else {
      return BackendCount(address: address, locator: target.locator, packets: 0, bytes: 0, connections: 0)
    }
    return unsafe BackendCount(
      address: address, locator: target.locator,
      packets: rows[Int(target.row)].packets.load(ordering: .relaxed),
      bytes: rows[Int(target.row)].bytes.load(ordering: .relaxed),
      connections: rows[Int(target.row)].connections.load(ordering: .relaxed))
  }
}

/// The worker's pen: writes into counters that others read, without touching their reference count.
@safe public struct MuxCounterWriter: ~Copyable {
  let counters: MuxCounters
  @usableFromInline let rows: UnsafeMutablePointer<MuxCounters.Row>
  @usableFromInline let rowCount: UInt32
  @usableFromInline let reasons: UnsafeMutablePointer<Atomic<UInt64>>
  @usableFromInline let totals: UnsafeMutablePointer<Atomic<UInt64>>

  /// There must be only one per `MuxCounters`.
  public init(_ counters: MuxCounters) {
    self.counters = counters
    unsafe rows = counters.rows
    rowCount = UInt32(counters.rowCount)
    unsafe reasons = counters.reasons
    unsafe totals = counters.totals
  }

  @inlinable @inline(__always) static func raise(_ number: borrowing Atomic<UInt64>, by amount: UInt64) {
    number.store(number.load(ordering: .relaxed) &+ amount, ordering: .relaxed)
  }

  /// Counts a drop.
  @inline(always) public func count(_ reason: DropReason) {
    unsafe Self.raise(reasons[Int(reason.rawValue)], by: 1)
  }

  /// Raises a total.
  @inline(always) public func count(_ total: MuxCounters.Total, by amount: Int = 1) {
    unsafe Self.raise(totals[total.rawValue], by: UInt64(truncatingIfNeeded: amount))
  }

  /// Counts a packet to a backend; a row of an older generation starts from zero, a target of an older one is
  /// not counted, since its row counts for another now.
  @inline(always) public func count(_ target: Target, byteCount: Int, opens: Bool) {
    let row = target.row < rowCount ? Int(target.row) : 0
    let generation = unsafe rows[row].generation.load(ordering: .relaxed)
    if generation != target.generation && row != 0 {
      guard Int32(bitPattern: target.generation &- generation) > 0 else { return }
      unsafe rows[row].packets.store(0, ordering: .relaxed)
      unsafe rows[row].bytes.store(0, ordering: .relaxed)
      unsafe rows[row].connections.store(0, ordering: .relaxed)
      unsafe rows[row].generation.store(target.generation, ordering: .releasing)
    }
    unsafe Self.raise(rows[row].packets, by: 1)
    unsafe Self.raise(rows[row].bytes, by: UInt64(truncatingIfNeeded: byteCount))
    if opens { unsafe Self.raise(rows[row].connections, by: 1) }
  }
}
#endif
