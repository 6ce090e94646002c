import Wire

/// What names a flow on its VM's side: who is at the other end, and which port of which VM is at this one.
///
/// The VIP is no part of it: a reply of the VM does not carry it. So two connections that reach the same
/// port of a VM by different VIPs, from the same address and port, cannot be told apart, and the second one
/// is refused (`DropReason.flowConflict`).
struct FlowKey: BitwiseCopyable {
  /// The remote address and port, and the VM's port.
  let name: UInt64
  /// The VM's index and the protocol, in the bits of `Flow.keyMask`.
  let owner: UInt16

  @inline(always) init(
    machine: Int, isUDP: Bool, remote: IPv4Address, remotePort: UInt16, localPort: UInt16
  ) {
    name = UInt64(remote.raw) << 32 | UInt64(remotePort) << 16 | UInt64(localPort)
    owner = UInt16(truncatingIfNeeded: machine) & 0x3ff | (isUDP ? 0x400 : 0)
  }

  /// Two multiplications, each folded; the seed keeps strangers from filling one bucket.
  @inline(always) func hash(seed: UInt64) -> UInt64 {
    let first = (name ^ seed).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
    let mixed = first.high ^ first.low ^ UInt64(owner)
    let second = (mixed ^ (seed &>> 32)).multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
    return second.high ^ second.low
  }
}

/// A flow record: 16 bytes, four to a cache line.
///
/// ```
///  +-------------------+------------+-----------+
///  |  remote address   | its port   | VM's port |  name
///  +-------------------+-----+------+-----------+
///  | last seen, ms     | S|U| VM     |L| endpoint|
///  +-------------------+------------+-----------+
///   S: state, 5 bits   U: UDP       L: lent to the kernel    endpoint 0: the record is empty
/// ```
/// A flow that is lent has packets that the agent does not see: its silence is for the kernel to tell, so it neither
/// expires nor gives way before it has been taken back.
struct Flow: BitwiseCopyable {
  @inline(always) static var keyMask: UInt16 { 0x07ff }
  /// The VM has sent a packet of the flow.
  @inline(always) static var answered: UInt16 { 0x0800 }
  /// Both sides have shown that they know of the flow; only such a one is safe from eviction.
  @inline(always) static var established: UInt16 { 0x1000 }
  @inline(always) static var finIn: UInt16 { 0x2000 }
  @inline(always) static var finOut: UInt16 { 0x4000 }
  @inline(always) static var reset: UInt16 { 0x8000 }

  var name: UInt64
  var lastSeen: UInt32
  var owner: UInt16
  private var place: UInt16

  @inline(always) init() {
    name = 0
    lastSeen = 0
    owner = 0
    place = 0
  }

  @inline(always) init(_ key: FlowKey, endpoint: UInt16, now: UInt32) {
    name = key.name
    lastSeen = now
    owner = key.owner
    place = endpoint
  }

  @inline(always) var isEmpty: Bool { place == 0 }
  /// Its endpoint's number, below 2^15.
  @inline(always) var endpoint: UInt16 { place & 0x7fff }
  /// Whether the kernel has been asked to carry it.
  @inline(always) var isLent: Bool {
    get { place & 0x8000 != 0 }
    set { place = place & 0x7fff | (newValue ? 0x8000 : 0) }
  }
  /// Whether the kernel could carry it: both sides know of it, and neither has ended it.
  @inline(always) var isKnown: Bool { isEstablished && !isClosed }
  @inline(always) var machine: Int { Int(owner & 0x3ff) }
  @inline(always) var isEstablished: Bool { owner & Self.established != 0 }
  @inline(always) var isClosed: Bool {
    owner & Self.reset != 0 || owner & (Self.finIn | Self.finOut) == Self.finIn | Self.finOut
  }

  @inline(always) func matches(_ key: FlowKey) -> Bool {
    name == key.name && owner & Self.keyMask == key.owner
  }

  /// Forgets what was seen of the connection, as for a new one between the same ports.
  @inline(always) mutating func restart() { owner &= Self.keyMask }

  /// How long it may be silent, given its endpoint's idle time-out.
  @inline(always) func patience(_ idle: UInt32) -> UInt32 {
    if isClosed { return min(idle, Limits.closedMilliseconds) }
    return isEstablished ? idle : min(idle, Limits.halfOpenMilliseconds)
  }

  /// Whether it has been silent for too long; a clock that seems to go backwards expires nothing.
  @inline(always) func isExpired(idle: UInt32, now: UInt32) -> Bool {
    Int64(Int32(bitPattern: now &- lastSeen)) > Int64(patience(idle))
  }

  /// Notes a packet from the remote end.
  @inline(always) mutating func sawInbound(_ flags: TCPFlags, now: UInt32) {
    lastSeen = now
    if flags.has(.syn) {
      if isClosed { restart() }
      return
    }
    if owner & Self.answered != 0 { owner |= Self.established }
    if flags.has(.fin) { owner |= Self.finIn }
    if flags.has(.rst) { owner |= Self.reset }
  }

  /// Notes a packet from the VM; a datagram that is answered makes a flow, a segment must be acknowledged.
  @inline(always) mutating func sawOutbound(_ flags: TCPFlags, isUDP: Bool, now: UInt32) {
    lastSeen = now
    owner |= isUDP ? Self.answered | Self.established : Self.answered
    if flags.has(.fin) { owner |= Self.finOut }
    if flags.has(.rst) { owner |= Self.reset }
  }
}
