import Wire

/// Connections by leased ports: records in a row, and two tables of chains that find them by either end.
///
/// Records are taken from memory that is not touched before it is needed. Record 0 does not exist.
struct PortFlowTable: ~Copyable {
  var records: Table<PortFlow>
  private var outHeads: Table<UInt32>
  private var inHeads: Table<UInt32>
  private let seed: UInt64
  private var free: UInt32 = 0
  /// Records above this one have never been used.
  private(set) var top = 0
  /// Where the next sweep begins.
  var cursor = 1
  /// Connections that live for seconds, those that have been silent for longest first.
  private(set) var oldest: UInt32 = 0
  private var youngest: UInt32 = 0

  init(capacity: Int, seed: UInt64) {
    records = Table(untouched: capacity)
    outHeads = Table(capacity: capacity, repeating: 0)
    inHeads = Table(capacity: capacity, repeating: 0)
    self.seed = seed
  }

  /// How many connections there can be.
  @inline(always) var capacity: Int { records.mask }

  @inline(always) private func hash(_ name: UInt64, _ owner: UInt64) -> Int {
    let first = (name ^ seed).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
    let mixed = first.high ^ first.low ^ owner
    let second = (mixed ^ (seed &>> 32)).multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
    return Int(truncatingIfNeeded: second.high ^ second.low)
  }

  @inline(always) private func outPlace(
    machine: Int, proto: UInt8, remote: IPv4Address, remotePort: UInt16, localPort: UInt16
  ) -> Int {
    hash(
      UInt64(remote.raw) << 32 | UInt64(remotePort) << 16 | UInt64(localPort),
      UInt64(truncatingIfNeeded: machine) << 2 | UInt64(proto))
  }

  @inline(always) private func inPlace(
    port: UInt32, proto: UInt8, remote: IPv4Address, remotePort: UInt16
  ) -> Int {
    hash(UInt64(remote.raw) << 32 | UInt64(remotePort) << 16, UInt64(port) << 2 | UInt64(proto))
  }

  /// The record of a VM's packet, or 0.
  @inline(always) func find(
    machine: Int, proto: UInt8, remote: IPv4Address, remotePort: UInt16, localPort: UInt16
  ) -> Int {
    let place = outPlace(
      machine: machine, proto: proto, remote: remote, remotePort: remotePort, localPort: localPort)
    var at = Int(outHeads[place])
    while at != 0 {
      let flow = records[at]
      if flow.remote == remote && flow.remotePort == remotePort && flow.localPort == localPort
        && flow.proto == proto && Int(flow.machine) == machine
      {
        return at
      }
      at = Int(flow.outNext)
    }
    return 0
  }

  /// The record of a packet to a leased port, or 0.
  @inline(always) func find(port: UInt32, proto: UInt8, remote: IPv4Address, remotePort: UInt16) -> Int {
    var at = Int(inHeads[inPlace(port: port, proto: proto, remote: remote, remotePort: remotePort)])
    while at != 0 {
      let flow = records[at]
      if flow.port == port && flow.remote == remote && flow.remotePort == remotePort && flow.proto == proto {
        return at
      }
      at = Int(flow.inNext)
    }
    return 0
  }

  /// Adds a record; 0 when there is no room.
  @inline(always) mutating func insert(_ flow: PortFlow) -> Int {
    var at = Int(free)
    if at != 0 {
      free = records[at].outNext
    } else {
      guard top < capacity else { return 0 }
      top &+= 1
      at = top
    }
    let out = outPlace(
      machine: Int(flow.machine), proto: flow.proto, remote: flow.remote, remotePort: flow.remotePort,
      localPort: flow.localPort)
    let inward = inPlace(
      port: flow.port, proto: flow.proto, remote: flow.remote, remotePort: flow.remotePort)
    var flow = flow
    flow.outNext = outHeads[out]
    flow.inNext = inHeads[inward]
    records[at] = flow
    outHeads[out] = UInt32(truncatingIfNeeded: at)
    inHeads[inward] = UInt32(truncatingIfNeeded: at)
    return at
  }

  /// Takes a record out of both chains and the list of those that live briefly, and empties it.
  mutating func remove(_ at: Int) {
    let flow = records[at]
    if flow.isListed != 0 { unlist(at) }
    if flow.state & PortFlow.retired == 0 { unlinkOut(at) }
    unlinkIn(at)
    var empty = PortFlow.empty
    empty.outNext = free
    records[at] = empty
    free = UInt32(truncatingIfNeeded: at)
  }

  /// Takes a record out of the chain of its VM's side.
  @inline(always) mutating func unlinkOut(_ at: Int) {
    let flow = records[at]
    let place = outPlace(
      machine: Int(flow.machine), proto: flow.proto, remote: flow.remote, remotePort: flow.remotePort,
      localPort: flow.localPort)
    var before = Int(outHeads[place])
    if before == at {
      outHeads[place] = flow.outNext
      return
    }
    while before != 0 {
      let next = Int(records[before].outNext)
      if next == at {
        records[before].outNext = flow.outNext
        return
      }
      before = next
    }
  }

  @inline(always) private mutating func unlinkIn(_ at: Int) {
    let flow = records[at]
    let place = inPlace(
      port: flow.port, proto: flow.proto, remote: flow.remote, remotePort: flow.remotePort)
    var before = Int(inHeads[place])
    if before == at {
      inHeads[place] = flow.inNext
      return
    }
    while before != 0 {
      let next = Int(records[before].inNext)
      if next == at {
        records[before].inNext = flow.inNext
        return
      }
      before = next
    }
  }

  /// Puts a record into the list of those that live briefly, or takes it out, as its state wants.
  @inline(always) mutating func list(_ at: Int, now: UInt32) {
    let flow = records[at]
    if flow.isShort == (flow.isListed != 0) { return }
    if flow.isShort { append(at, now: now) } else { unlist(at) }
  }

  /// Puts a record that is in the list at its end, if it has not come there within the last second.
  ///
  /// So it is the one that has been silent for longest that gives way, but for a second, and few packets move one.
  @inline(always) mutating func refresh(_ at: Int, now: UInt32) {
    let flow = records[at]
    guard flow.isListed != 0, now &- flow.shortSince > Limits.refreshMilliseconds else { return }
    renew(at, now: now)
  }

  /// Puts a record that is in the list at its end.
  mutating func renew(_ at: Int, now: UInt32) {
    unlist(at)
    append(at, now: now)
  }

  private mutating func append(_ at: Int, now: UInt32) {
    let number = UInt32(truncatingIfNeeded: at)
    records[at].shortNext = 0
    records[at].shortPrevious = youngest
    records[at].shortSince = now
    records[at].isListed = 1
    if youngest == 0 { oldest = number } else { records[Int(youngest)].shortNext = number }
    youngest = number
  }

  private mutating func unlist(_ at: Int) {
    let flow = records[at]
    records[at].isListed = 0
    if flow.shortPrevious == 0 {
      oldest = flow.shortNext
    } else {
      records[Int(flow.shortPrevious)].shortNext = flow.shortNext
    }
    if flow.shortNext == 0 {
      youngest = flow.shortPrevious
    } else {
      records[Int(flow.shortNext)].shortPrevious = flow.shortPrevious
    }
  }
}
