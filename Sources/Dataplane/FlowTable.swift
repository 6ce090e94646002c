#if !$Embedded
public import Wire

/// Connections that the VIP map alone would send elsewhere than where they began; one worker's own.
///
/// Four-way buckets in memory of fixed size: it never allocates after `init`, and when a bucket or a quota is full
/// it stops recording. A record is untrusted while its connection has shown nothing but a SYN: those live
/// shortly and have a small quota, so that a flood of SYNs leaves room (Ananta §3.3.3).
@safe public struct FlowTable: ~Copyable {
  /// How far a connection is trusted; `none` marks a free place.
  @usableFromInline enum Trust: UInt8, BitwiseCopyable { case none, untrusted, trusted }

  @usableFromInline struct Record: BitwiseCopyable {
    @usableFromInline var connection: FiveTuple
    @usableFromInline var target: Target
    /// The endpoint's.
    @usableFromInline var number: UInt32
    /// When it is forgotten, milliseconds.
    @usableFromInline var expires: UInt32
    @usableFromInline var trust: Trust

    @usableFromInline init() {
      connection = FiveTuple(
        source: .any, destination: .any, sourcePort: 0, destinationPort: 0, proto: IPProtocol(0))
      target = Target(locator: .any, row: 0, generation: 0)
      number = 0
      expires = 0
      trust = .none
    }

    @inlinable @inline(__always) func isExpired(_ now: UInt32) -> Bool { Int32(bitPattern: now &- expires) >= 0 }
  }

  @usableFromInline let records: UnsafeMutablePointer<Record>
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
    unsafe records = .allocate(capacity: capacity)
    unsafe records.initialize(repeating: Record(), count: capacity)
    unsafe counts = .allocate(capacity: Limits.endpoints)
    unsafe counts.initialize(repeating: 0, count: Limits.endpoints)
  }

  deinit {
    unsafe records.deallocate()
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

  /// The first place of a connection's bucket.
  @inlinable func bucket(_ connection: FiveTuple) -> Int {
    (Int(truncatingIfNeeded: hash.hash(connection)) & bucketMask) &* 4
  }

  /// Where a connection's record is; nil when there is none.
  @inlinable func find(_ connection: FiveTuple) -> Int? {
    let first = bucket(connection)
    var place = first
    while place < first &+ 4 {
      if unsafe records[place].trust != .none && records[place].connection == connection { return place }
      place &+= 1
    }
    return nil
  }

  @inlinable mutating func remove(_ place: Int) {
    if unsafe records[place].trust == .trusted { trustedCount &-= 1 } else { untrustedCount &-= 1 }
    unsafe counts[Int(records[place].number)] &-= 1
    unsafe records[place].trust = .none
  }

  /// The backend recorded for a connection, whose record lives on for `idleTimeout` milliseconds; a connection that
  /// shows more than a SYN becomes trusted.
  @inlinable public mutating func lookUp(
    _ connection: FiveTuple, opening: Bool, idleTimeout: UInt32, now: UInt32
  ) -> Target? {
    guard let place = find(connection) else { return nil }
    guard unsafe !records[place].isExpired(now) else {
      remove(place)
      return nil
    }
    if !opening {
      if unsafe records[place].trust == .untrusted {
        unsafe records[place].trust = .trusted
        untrustedCount &-= 1
        trustedCount &+= 1
      }
      unsafe records[place].expires = now &+ idleTimeout
    }
    return unsafe records[place].target
  }

  /// Records a connection where there is a free place or an expired record in its bucket.
  @inlinable public mutating func insert(
    _ connection: FiveTuple, _ target: Target, number: UInt32, opening: Bool, idleTimeout: UInt32, now: UInt32
  ) {
    if opening && untrustedCount >= untrustedLimit { return }
    let first = bucket(connection)
    var place = first
    while place < first &+ 4 {
      if unsafe records[place].trust == .none { break }
      if unsafe records[place].isExpired(now) {
        remove(place)
        break
      }
      place &+= 1
    }
    guard place < first &+ 4 else { return }
    unsafe records[place].connection = connection
    unsafe records[place].target = target
    unsafe records[place].number = number & UInt32(Limits.endpoints &- 1)
    unsafe records[place].expires = now &+ (opening ? Limits.untrustedMilliseconds : idleTimeout)
    unsafe records[place].trust = opening ? .untrusted : .trusted
    if opening { untrustedCount &+= 1 } else { trustedCount &+= 1 }
    unsafe counts[Int(records[place].number)] &+= 1
  }

  /// Forgets a connection.
  @inlinable public mutating func forget(_ connection: FiveTuple) {
    if let place = find(connection) { remove(place) }
  }

  /// Lets the record of a connection that was reset end soon.
  @inlinable public mutating func expireSoon(_ connection: FiveTuple, now: UInt32) {
    guard let place = find(connection) else { return }
    unsafe records[place].expires = now &+ Limits.untrustedMilliseconds
  }

  /// Removes expired records from the next few buckets; called once per batch.
  @inlinable public mutating func sweep(now: UInt32) {
    guard untrustedCount &+ trustedCount > 0 else { return }
    let end = sweepCursor &+ min(Limits.bucketsPerSweep, bucketMask &+ 1) &* 4
    var place = sweepCursor
    while place < end {
      let wrapped = place & (bucketMask &* 4 &+ 3)
      if unsafe records[wrapped].trust != .none && records[wrapped].isExpired(now) { remove(wrapped) }
      place &+= 1
    }
    sweepCursor = place & (bucketMask &* 4 &+ 3)
  }
}
#endif
