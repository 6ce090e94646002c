#if !$Embedded
public import Synchronization
public import Wire

/// User space's own tables: a VIP map that others made, records and counters that are this worker's alone.
///
/// Packets read the map through raw pointers; the reference that keeps it alive is touched by `adopt` only.
@safe public struct UserTables: ~Copyable {
  /// The map in force.
  public private(set) var map: VIPMap
  @usableFromInline var cells: UnsafeMutablePointer<MapCell>
  @usableFromInline var cellMask: Int
  /// Leases of SNAT ranges, which somebody changes meanwhile; nil when there are none at all.
  public private(set) var ranges: SNATRanges?
  @usableFromInline var words: UnsafeMutablePointer<Atomic<UInt64>>?
  /// The pool's hash.
  public let poolHash: PoolHash
  /// The records.
  public var flows: FlowTable
  /// The time that the packet in hand is judged by, milliseconds; set before each packet or batch.
  public var now: UInt32 = 0
  /// The counters.
  @usableFromInline let counters: MuxCounterWriter

  /// Begins with a map, and with nothing recorded.
  public init(
    map: VIPMap, ranges: SNATRanges? = nil, counters: MuxCounters, flowRecords: Int = Limits.flowRecords
  ) {
    self.map = map
    self.ranges = ranges
    unsafe words = ranges?.words
    unsafe cells = map.cells
    cellMask = map.cellCount - 1
    poolHash = map.hash
    flows = FlowTable(capacity: flowRecords, hash: map.hash)
    self.counters = MuxCounterWriter(counters)
  }

  /// Goes by another map of the same pool from now on; the old one is released.
  public mutating func adopt(_ next: VIPMap) {
    guard next !== map else { return }
    precondition(next.hash.seed == poolHash.seed, "maps of one pool have one seed")
    unsafe cells = next.cells
    cellMask = next.cellCount - 1
    map = next
  }

  /// Goes by another table of SNAT ranges from now on.
  public mutating func adopt(_ next: SNATRanges) {
    unsafe words = next.words
    ranges = next
  }

  /// Counts a drop.
  @inline(always) public func count(_ reason: DropReason) { counters.count(reason) }

  /// Raises a total.
  @inline(always) public func count(_ total: MuxCounters.Total, by amount: Int = 1) {
    counters.count(total, by: amount)
  }

  /// The place of an address in the map; negative when it is not there.
  @inlinable @inline(__always) func place(of address: EndpointAddress) -> Int {
    var place = unsafe MapCell.firstPlace(address) & cellMask
    while unsafe cells[place].kind != .empty {
      if unsafe cells[place].address == address { return place }
      place = (place &+ 1) & cellMask
    }
    return -1
  }
}

extension UserTables: MuxTables {
  /// The endpoint that is served at an address.
  @inline(always) public func endpoint(_ address: EndpointAddress) -> MapEntry? {
    let place = place(of: address)
    guard place >= 0 else { return nil }
    return unsafe MapEntry(cells[place], index: place)
  }

  /// Whether an address is a VIP, of whatever ports.
  @inline(always) public func isVIP(_ address: IPv4Address) -> Bool {
    place(of: EndpointAddress(vip: address, port: 0, proto: IPProtocol(0))) >= 0
  }

  /// Where packets to the SNAT ranges of a VIP are counted, without locator; nil when the address is no VIP.
  @inline(always) public func snatRow(_ vip: IPv4Address) -> Target? {
    let place = place(of: EndpointAddress(vip: vip, port: 0, proto: IPProtocol(0)))
    guard place >= 0 else { return nil }
    return unsafe Target(locator: .any, row: cells[place].number, generation: cells[place].idleTimeout)
  }

  /// The locator of the VM that a range is leased to.
  @inline(always) public func leaseholder(_ range: SNATRange) -> IPv4Address? {
    guard let words = unsafe words else { return nil }
    return unsafe SNATRanges.locator(range, words)
  }

  /// The backend that a slot has now; nil when the endpoint has none.
  @inline(always) public func current(_ entry: MapEntry, slot: Int) -> Target? {
    let cell = unsafe cells + entry.index
    guard let slots = unsafe cell.pointee.slots, let targets = unsafe cell.pointee.targets else { return nil }
    return unsafe targets[Int(slots[slot])]
  }

  /// Whether a backend is still the endpoint's, be it one that drains.
  @inlinable public func serves(_ entry: MapEntry, _ target: Target) -> Bool {
    unsafe cells[entry.index].serves(target.locator)
  }

  /// How a slot moves now; nil when it is settled.
  @inlinable public func movement(_ entry: MapEntry, slot: Int) -> SlotMovement? {
    let cell = unsafe cells + entry.index
    guard let places = unsafe cell.pointee.movementPlaces, let states = unsafe cell.pointee.movementStates
    else { return nil }
    let place = unsafe Int(places[slot])
    return place == 0 ? nil : unsafe states[place].phase(now: now, idleTimeout: entry.idleTimeout)
  }

  /// Whether any connection of the endpoint may be recorded.
  @inline(always) public func hasRecords(_ entry: MapEntry) -> Bool { flows.hasRecords(entry.number) }

  /// The backend that is recorded for a connection; asking renews the record unless it is `opening`.
  @inlinable public mutating func recorded(
    _ connection: FiveTuple, _ entry: MapEntry, opening: Bool
  ) -> Target? {
    flows.lookUp(connection, opening: opening, idleTimeout: entry.idleTimeout, now: now)
  }

  /// Records a connection, if there is room; `opening` when all it has shown is a SYN.
  @inlinable public mutating func record(
    _ connection: FiveTuple, _ target: Target, _ entry: MapEntry, opening: Bool
  ) {
    flows.insert(
      connection, target, number: entry.number, opening: opening, idleTimeout: entry.idleTimeout, now: now)
  }

  /// Forgets what is recorded for a connection.
  @inlinable public mutating func forget(_ connection: FiveTuple) { flows.forget(connection) }

  /// Lets the record of a connection that was reset end soon.
  @inlinable public mutating func expireSoon(_ connection: FiveTuple, isReset: Bool) {
    flows.expireSoon(connection, isReset: isReset, now: now)
  }

  /// Counts a packet that goes to a backend.
  @inline(always) public mutating func count(_ target: Target, byteCount: Int, opens: Bool) {
    counters.count(target, byteCount: byteCount, opens: opens)
  }
}
#endif
