import CKernel
import Dataplane
import Mux
import Wire

/// An endpoint in the kernel's maps: its value, read in place.
@safe struct KernelEntry: EndpointEntry {
  let place: UnsafePointer<KernelEndpoint>

  @inline(__always) var number: UInt32 { unsafe place.pointee.number }
  @inline(__always) var idleTimeout: UInt32 { unsafe place.pointee.idleTimeout }
  @inline(__always) var slotCount: UInt32 { unsafe place.pointee.slotCount }
  @inline(__always) var isMoving: Bool { unsafe place.pointee.isMoving != 0 }
  @inline(__always) var fields: HashedFields {
    switch unsafe place.pointee.fields {
    case 1: .sourceAndDestination
    case 2: .sourceDestinationAndProtocol
    default: .fiveTuple
    }
  }
}

/// The MUX's tables in eBPF maps.
///
/// A map of one index of endpoints holds what is in force: the agent makes a new one beside it and changes
/// one pointer, so a packet sees the old tables or the new, whatever their size.
struct KernelTables: MuxTables {
  let seed: UInt64
  /// The time in milliseconds, once it has been read, which costs as much as a look-up; 0 before that.
  private var readAt: UInt64 = 0

  @inline(__always) init(seed: UInt64) { self.seed = seed }

  @inline(__always) var poolHash: PoolHash { PoolHash(seed: seed) }

  @inline(__always) var now: UInt32 { UInt32(truncatingIfNeeded: ktime_nanoseconds() / 1_000_000) }

  /// The same time for everything that is done with a packet.
  @inline(__always) mutating func time() -> UInt32 {
    if readAt == 0 { readAt = ktime_nanoseconds() / 1_000_000 }
    return UInt32(truncatingIfNeeded: readAt)
  }

  /// What `KernelIndex` has put in its place.
  @inline(__always) func find(_ address: EndpointAddress) -> UnsafePointer<KernelEndpoint>? {
    var first: UInt32 = 0
    guard let map = unsafe endpoints_at(&first), let index = unsafe inner_at(map, &first) else { return nil }
    let key = address.packed
    var place = KernelIndex.place(key, seed: seed)
    for _ in 0..<KernelIndex.steps {
      let offset = Int(truncatingIfNeeded: opaque(place) & UInt64(KernelIndex.places &- 1)) &* 4
      var number = unsafe index.load(fromByteOffset: offset, as: UInt32.self)
      guard number != 0, let value = unsafe endpoint_values_at(&number) else { return nil }
      let found = unsafe UnsafePointer(value.assumingMemoryBound(to: KernelEndpoint.self))
      if unsafe found.pointee.key == key { return unsafe found }
      place &+= 1
    }
    return nil
  }

  @inline(__always) func endpoint(_ address: EndpointAddress) -> KernelEntry? {
    guard let place = unsafe find(address) else { return nil }
    return unsafe KernelEntry(place: place)
  }

  @inline(__always) func isVIP(_ address: IPv4Address) -> Bool {
    unsafe find(EndpointAddress(vip: address, port: 0, proto: IPProtocol(0))) != nil
  }

  @inline(__always) func snatRow(_ vip: IPv4Address) -> Target? {
    unsafe find(EndpointAddress(vip: vip, port: 0, proto: IPProtocol(0)))?.pointee.snatRow
  }

  @inline(__always) func leaseholder(_ range: SNATRange) -> IPv4Address? {
    let key = SNATKey(range)
    return leaseholder(key.first, key.tag) ?? leaseholder(key.second, key.secondTag)
  }

  @inline(__always) func leaseholder(_ bucket: UInt32, _ tag: UInt32) -> IPv4Address? {
    var bucket = bucket
    guard let words = unsafe snat_ranges_at(&bucket) else { return nil }
    for way in 0..<SNATKey.ways {
      // Opaque, or the compiler might load its two halves one after the other.
      let word = opaque(unsafe words.load(fromByteOffset: way &* 8, as: UInt64.self))
      if SNATKey.matches(word, tag) { return SNATKey.locator(word) }
    }
    return nil
  }

  /// A word of the endpoint's table: a place, or behind all places a history.
  @inline(__always) func word(_ entry: KernelEntry, _ slot: Int, behind first: Int) -> UInt16? {
    var table = unsafe entry.place.pointee.table
    let slot = Int(truncatingIfNeeded: opaque(UInt64(truncatingIfNeeded: slot)) & 0x1_ffff)
    guard slot < KernelLayout.slots, let map = unsafe tables_at(&table) else { return nil }
    var zero: UInt32 = 0
    guard let words = unsafe inner_at(map, &zero) else { return nil }
    return unsafe words.load(fromByteOffset: (first &+ slot) &* 2, as: UInt16.self)
  }

  @inline(__always) func target(_ entry: KernelEntry, _ place: UInt32) -> Target? {
    let bank = unsafe UInt32(entry.place.pointee.bank) &* UInt32(KernelLayout.targets)
    var index = unsafe bank &+ entry.place.pointee.firstTarget &+ place
    return unsafe targets_at(&index)?.load(as: Target.self)
  }

  @inline(__always) func current(_ entry: KernelEntry, slot index: Int) -> Target? {
    guard unsafe entry.place.pointee.acceptingCount > 0, let place = word(entry, index, behind: 0)
    else { return nil }
    return target(entry, UInt32(place))
  }

  @inline(__always) mutating func movement(_ entry: KernelEntry, slot index: Int) -> SlotMovement? {
    guard entry.isMoving, let number = word(entry, index, behind: KernelLayout.slots), number != 0
    else { return nil }
    let bank = unsafe UInt32(entry.place.pointee.bank) &* UInt32(KernelLayout.movements)
    var place = unsafe bank &+ entry.place.pointee.firstMovement &+ UInt32(number)
    guard let value = unsafe movements_at(&place) else { return nil }
    return unsafe value.load(as: MovementState.self).phase(now: time(), idleTimeout: entry.idleTimeout)
  }

  /// Searches the backends by halves: first those that take new connections, then those that drain.
  @inline(__always) func serves(_ entry: KernelEntry, _ target: Target) -> Bool {
    let accepting = unsafe entry.place.pointee.acceptingCount
    let all = unsafe entry.place.pointee.targetCount
    return holds(entry, 0, accepting, target.locator) || holds(entry, accepting, all, target.locator)
  }

  @inline(__always) func holds(_ entry: KernelEntry, _ from: UInt32, _ end: UInt32, _ locator: IPv4Address)
    -> Bool
  {
    var low = from
    var high = end
    // 2^13 backends at most; the verifier wants a constant.
    for _ in 0..<13 {
      guard low < high else { return false }
      let middle = (low &+ high) &>> 1
      guard let found = target(entry, middle) else { return false }
      if found.locator == locator { return true }
      if found.locator < locator { low = middle &+ 1 } else { high = middle }
    }
    return false
  }

  @inline(__always) func flowCount(_ index: UInt32) -> UnsafeMutablePointer<UInt32>? {
    var index = index
    return unsafe flow_counts_at(&index)?.assumingMemoryBound(to: UInt32.self)
  }

  @inline(__always) func hasRecords(_ entry: KernelEntry) -> Bool {
    guard let count = unsafe flowCount(entry.number & UInt32(Limits.endpoints &- 1)) else { return false }
    return unsafe count.pointee != 0
  }

  @inline(__always) func add(_ amount: UInt32, to index: UInt32) {
    guard let count = unsafe flowCount(index) else { return }
    unsafe atomic_add(count, amount)
  }

  @inline(__always) func remove(_ key: inout KernelFlowKey, _ record: FlowRecord) {
    let number = record.number
    let isUntrusted = record.trust == .untrusted
    guard unsafe flows_remove(&key) == 0 else { return }
    add(UInt32.max, to: number)
    if isUntrusted { add(UInt32.max, to: UInt32(KernelLayout.untrustedCount)) }
  }

  @inline(__always) mutating func recorded(
    _ connection: FiveTuple, _ entry: KernelEntry, opening: Bool
  ) -> Target? {
    var key = KernelFlowKey(connection)
    guard let place = unsafe flows_at(&key)?.assumingMemoryBound(to: FlowRecord.self) else { return nil }
    switch unsafe place.pointee.meet(opening: opening, idleTimeout: entry.idleTimeout, now: time()) {
    case .ended:
      unsafe remove(&key, place.pointee)
      return nil
    case .promoted: add(UInt32.max, to: UInt32(KernelLayout.untrustedCount))
    case .known: break
    }
    return unsafe place.pointee.target
  }

  @inline(__always) mutating func record(
    _ connection: FiveTuple, _ target: Target, _ entry: KernelEntry, opening: Bool
  ) {
    if opening {
      guard let count = unsafe flowCount(UInt32(KernelLayout.untrustedCount)) else { return }
      // Signed: CPUs that promote one record at once may count it twice, until the agent counts anew.
      guard unsafe Int32(bitPattern: count.pointee) < Int32(KernelLayout.untrustedFlows) else { return }
    }
    let number = entry.number & UInt32(Limits.endpoints &- 1)
    var key = KernelFlowKey(connection)
    var record = FlowRecord(
      target, number: number, opening: opening, idleTimeout: entry.idleTimeout, now: time())
    guard unsafe flows_insert(&key, &record) == 0 else { return }
    add(1, to: number)
    if opening { add(1, to: UInt32(KernelLayout.untrustedCount)) }
  }

  @inline(__always) mutating func forget(_ connection: FiveTuple) {
    var key = KernelFlowKey(connection)
    guard let place = unsafe flows_at(&key)?.assumingMemoryBound(to: FlowRecord.self) else { return }
    unsafe remove(&key, place.pointee)
  }

  @inline(__always) mutating func expireSoon(_ connection: FiveTuple, isReset: Bool) {
    var key = KernelFlowKey(connection)
    guard let place = unsafe flows_at(&key)?.assumingMemoryBound(to: FlowRecord.self) else { return }
    unsafe place.pointee.close(isReset: isReset, now: time())
  }

  /// What this CPU knows of an endpoint's backend.
  @inline(__always) static func row(_ target: Target) -> Memory<KernelRow>? {
    var index = target.row
    return unsafe Memory(rows_at(&index))
  }

  /// What this CPU remembers of the way to a packet's target: in its row, or by its locator where a row has many.
  @inline(__always) static func hop(
    _ row: Memory<KernelRow>, _ target: Target, isLeased: Bool
  ) -> Memory<KernelNextHop>? {
    guard isLeased else {
      let offset = MemoryLayout<KernelRow>.size &- MemoryLayout<KernelNextHop>.size
      return unsafe Memory(UnsafeMutableRawPointer(row.place) + offset)
    }
    var index = KernelLayout.snatHop(target.locator)
    return unsafe Memory(snat_hops_at(&index))
  }

  @inline(__always) mutating func count(_ target: Target, byteCount: Int, opens: Bool) {
    guard let row = Self.row(target) else { return }
    Self.count(row, target, byteCount: byteCount, opens: opens)
  }

  /// Counts a packet to a backend whose row is known.
  @inline(__always) static func count(
    _ row: Memory<KernelRow>, _ target: Target, byteCount: Int, opens: Bool
  ) {
    let row = unsafe row.place
    if unsafe row.pointee.generation != target.generation {
      guard unsafe Int32(bitPattern: target.generation &- row.pointee.generation) > 0 else { return }
      unsafe row.pointee.packets = 0
      unsafe row.pointee.bytes = 0
      unsafe row.pointee.connections = 0
      unsafe row.pointee.generation = target.generation
    }
    unsafe row.pointee.packets &+= 1
    unsafe row.pointee.bytes &+= UInt64(truncatingIfNeeded: byteCount)
    if opens { unsafe row.pointee.connections &+= 1 }
  }

  /// Raises one of `KernelLayout`'s totals.
  @inline(__always) static func count(total: Int) {
    var index = UInt32(truncatingIfNeeded: total)
    guard let number = unsafe totals_at(&index)?.assumingMemoryBound(to: UInt64.self) else { return }
    unsafe number.pointee &+= 1
  }
}
