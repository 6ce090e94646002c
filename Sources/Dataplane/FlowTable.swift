#if !$Embedded
public import Wire

/// Connections that the VIP map alone would send elsewhere than where they began; one worker's own.
///
/// Four-way buckets in memory of fixed size: it never allocates after `init`, and when its buckets or a
/// quota are full it stops recording.
@safe public struct FlowTable: ~Copyable {
  @usableFromInline struct Entry: BitwiseCopyable {
    @usableFromInline var connection: FiveTuple
    @usableFromInline var record: FlowRecord

    @usableFromInline init() {
      connection = FiveTuple(
        source: .any, destination: .any, sourcePort: 0, destinationPort: 0, proto: IPProtocol(0))
      record = FlowRecord()
    }

    @inlinable @inline(__always) var isUsed: Bool { record.trust != .none }
  }

  @usableFromInline let entries: UnsafeMutablePointer<Entry>
  @usableFromInline let bucketMask: Int
  /// Records of each endpoint, by its number.
  @usableFromInline let counts: UnsafeMutablePointer<UInt32>
  @usableFromInline let untrustedLimit: Int
  @usableFromInline let hash: PoolHash
  @usableFromInline var sweepCursor = 0
  @usableFromInline var untrustedCount = 0
  @usableFromInline var trustedCount = 0

  /// Makes room for `capacity` records, a power of two of at least 4.
  public init(capacity: Int = Limits.flowRecords, hash: PoolHash) {
    precondition(capacity >= 4 && capacity & (capacity - 1) == 0, "a flow table's size is a power of two")
    bucketMask = capacity / 4 - 1
    untrustedLimit = max(capacity * Limits.untrustedRecords / Limits.flowRecords, 1)
    self.hash = hash
    unsafe entries = .allocate(capacity: capacity)
    unsafe entries.initialize(repeating: Entry(), count: capacity)
    unsafe counts = .allocate(capacity: Limits.endpoints)
    unsafe counts.initialize(repeating: 0, count: Limits.endpoints)
  }

  deinit {
    unsafe entries.deallocate()
    unsafe counts.deallocate()
  }

  /// Records of connections that have shown nothing but a SYN.
  @inline(always) public var untrusted: Int { untrustedCount }

  /// Records of all other connections.
  @inline(always) public var trusted: Int { trustedCount }

  /// Whether the endpoint with this number has a record.
  @inline(always) public func hasRecords(_ number: UInt32) -> Bool {
    unsafe counts[Int(truncatingIfNeeded: number) & (Limits.endpoints &- 1)] != 0
  }

  /// The first places of the two buckets that a connection may be in: with a choice of two, hardly any
  /// record finds no place before the table is three quarters full (Azar et al., "Balanced Allocations",
  /// 1994).
  @inlinable func buckets(_ connection: FiveTuple) -> (Int, Int) {
    let number = hash.hash(connection)
    let first = Int(truncatingIfNeeded: number) & bucketMask
    let second = Int(truncatingIfNeeded: number >> 32) & bucketMask
    return (first &* 4, second &* 4)
  }

  /// Where in a bucket a connection's record is; negative when it is not there.
  @inlinable func find(_ connection: FiveTuple, bucket: Int) -> Int {
    var place = bucket
    while place < bucket &+ 4 {
      if unsafe entries[place].isUsed && entries[place].connection == connection { return place }
      place &+= 1
    }
    return -1
  }

  /// Where a connection's record is; nil when there is none.
  @inlinable func find(_ connection: FiveTuple) -> Int? {
    let (first, second) = buckets(connection)
    var place = find(connection, bucket: first)
    if place < 0 { place = find(connection, bucket: second) }
    return place < 0 ? nil : place
  }

  /// Removes what has expired from a bucket, and says how many places are free and which is one of them.
  @inlinable mutating func room(_ bucket: Int, now: UInt32) -> (free: Int, place: Int) {
    var room = (free: 0, place: bucket)
    var place = bucket
    while place < bucket &+ 4 {
      if unsafe entries[place].isUsed && entries[place].record.isExpired(now) { remove(place) }
      if unsafe !entries[place].isUsed { room = (room.free &+ 1, place) }
      place &+= 1
    }
    return room
  }

  @inlinable mutating func remove(_ place: Int) {
    if unsafe entries[place].record.trust == .trusted { trustedCount &-= 1 } else { untrustedCount &-= 1 }
    unsafe counts[Int(entries[place].record.number)] &-= 1
    unsafe entries[place].record = FlowRecord()
  }

  /// The backend recorded for a connection, whose record lives on for `idleTimeout` milliseconds; a
  /// connection that shows more than a SYN becomes trusted.
  @inlinable public mutating func lookUp(
    _ connection: FiveTuple, opening: Bool, idleTimeout: UInt32, now: UInt32
  ) -> Target? {
    guard let place = find(connection) else { return nil }
    switch unsafe entries[place].record.meet(opening: opening, idleTimeout: idleTimeout, now: now) {
    case .ended:
      remove(place)
      return nil
    case .promoted:
      untrustedCount &-= 1
      trustedCount &+= 1
    case .known: break
    }
    return unsafe entries[place].record.target
  }

  /// Records a connection in the emptier of its buckets, if there is a place.
  @inlinable public mutating func insert(
    _ connection: FiveTuple, _ target: Target, number: UInt32, opening: Bool, idleTimeout: UInt32, now: UInt32
  ) {
    if opening && untrustedCount >= untrustedLimit { return }
    let (first, second) = buckets(connection)
    let one = room(first, now: now)
    let two = room(second, now: now)
    guard one.free > 0 || two.free > 0 else { return }
    let place = one.free >= two.free ? one.place : two.place
    let number = number & UInt32(Limits.endpoints &- 1)
    unsafe entries[place].connection = connection
    unsafe entries[place].record = FlowRecord(
      target, number: number, opening: opening, idleTimeout: idleTimeout, now: now)
    if opening { untrustedCount &+= 1 } else { trustedCount &+= 1 }
    unsafe counts[Int(number)] &+= 1
  }

  /// Takes a record over that another table has of a connection, in the place of what is known of it here.
  public mutating func put(_ record: FlowRecord, of connection: FiveTuple, now: UInt32) {
    forget(connection)
    let (first, second) = buckets(connection)
    var room = room(first, now: now)
    if room.free == 0 { room = self.room(second, now: now) }
    guard room.free > 0 else { return }
    unsafe entries[room.place].connection = connection
    unsafe entries[room.place].record = record
    if record.trust == .trusted { trustedCount &+= 1 } else { untrustedCount &+= 1 }
    unsafe counts[Int(record.number)] &+= 1
  }

  /// Whether a connection is recorded, be it that its time is over.
  public func holds(_ connection: FiveTuple) -> Bool { find(connection) != nil }

  /// Forgets a connection.
  @inlinable public mutating func forget(_ connection: FiveTuple) {
    if let place = find(connection) { remove(place) }
  }

  /// Lets a connection's record end soon, since its client has sent a FIN or a RST.
  @inlinable public mutating func expireSoon(_ connection: FiveTuple, isReset: Bool, now: UInt32) {
    guard let place = find(connection) else { return }
    unsafe entries[place].record.close(isReset: isReset, now: now)
  }

  /// Removes expired records from the next few buckets; called once per batch.
  @inlinable public mutating func sweep(now: UInt32) {
    guard untrustedCount &+ trustedCount > 0 else { return }
    let end = sweepCursor &+ min(Limits.bucketsPerSweep, bucketMask &+ 1) &* 4
    var place = sweepCursor
    while place < end {
      let wrapped = place & (bucketMask &* 4 &+ 3)
      if unsafe entries[wrapped].isUsed && entries[wrapped].record.isExpired(now) { remove(wrapped) }
      place &+= 1
    }
    sweepCursor = place & (bucketMask &* 4 &+ 3)
  }
}
#endif
