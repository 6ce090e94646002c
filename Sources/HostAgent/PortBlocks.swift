import Wire

/// A remote end that a VM has flows to.
struct PortDestination: BitwiseCopyable {
  let remote: IPv4Address
  let remotePort: UInt16
  let proto: UInt8
  let machine: UInt16

  @inline(always) init(machine: Int, proto: UInt8, remote: IPv4Address, remotePort: UInt16) {
    self.remote = remote
    self.remotePort = remotePort
    self.proto = proto
    self.machine = UInt16(truncatingIfNeeded: machine)
  }

  /// Of mappings: a UDP port of a VM has its leased port to itself.
  @inline(always) static func everybody(_ machine: Int) -> PortDestination {
    PortDestination(machine: machine, proto: PortProtocol.mapping, remote: .any, remotePort: 0)
  }
}

/// Which ports of one of its VM's pages are taken towards one destination: a bit for each of 256 ports.
///
/// Or, as a *summary*, which of the VM's pages have none free: a bit for each page.
struct PortBlock: BitwiseCopyable {
  @inline(always) static var summary: UInt16 { 0xff }

  var remote: IPv4Address = .any
  var remotePort: UInt16 = 0
  var machine: UInt16 = .max
  /// Page, or `summary`; protocol in the upper half.
  var place: UInt16 = 0
  private var padding: UInt16 = 0
  /// When it was last asked for.
  var used: UInt32 = 0
  /// Of a summary: that of its VM for which it is right.
  var generation: UInt32 = 0
  private var morePadding: UInt32 = 0
  var bits = InlineArray<4, UInt64>(repeating: 0)
  private var last: UInt64 = 0

  @inline(always) init() {}

  @inline(always) init(_ destination: PortDestination, _ page: UInt16) {
    remote = destination.remote
    remotePort = destination.remotePort
    machine = destination.machine
    place = page | UInt16(destination.proto) << 8
  }

  @inline(always) func matches(_ destination: PortDestination, _ page: UInt16) -> Bool {
    remote == destination.remote && remotePort == destination.remotePort && machine == destination.machine
      && place == page | UInt16(destination.proto) << 8
  }
}

/// What is remembered of ports towards busy destinations, so that a free one is found at once among thousands.
///
/// It can be forgotten at any time: a block is made anew from the flows. What is remembered is kept right by every flow
/// that begins or ends.
struct PortBlocks: ~Copyable {
  @inline(always) private static var ways: Int { 4 }
  private var blocks: Table<PortBlock>
  private var clock: UInt32 = 0

  init() { blocks = Table(capacity: Limits.portBlocks, repeating: PortBlock()) }

  @inline(always) private func bucket(_ destination: PortDestination, _ page: UInt16) -> Int {
    let name =
      UInt64(destination.remote.raw) << 32 | UInt64(destination.remotePort) << 16
      | UInt64(destination.machine)
    let first = name.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
    let mixed = first.high ^ first.low ^ UInt64(page) << 8 ^ UInt64(destination.proto)
    let second = mixed.multipliedFullWidth(by: 0xd6e8_feb8_6659_fd93)
    return Int(truncatingIfNeeded: second.high ^ second.low) &* Self.ways
  }

  /// Where a block lies, or -1.
  @inline(always) func find(_ destination: PortDestination, _ page: UInt16) -> Int {
    let first = bucket(destination, page)
    for way in 0..<Self.ways where blocks[first &+ way].matches(destination, page) {
      return (first &+ way) & blocks.mask
    }
    return -1
  }

  @inline(always) subscript(at: Int) -> PortBlock {
    get { blocks[at] }
    set { blocks[at] = newValue }
  }

  /// Lays a block down in the place of the one of its four that was asked for the longest time ago.
  @inline(always) mutating func put(_ block: PortBlock, _ destination: PortDestination, _ page: UInt16) -> Int
  {
    let first = bucket(destination, page)
    var best = first
    for way in 1..<Self.ways {
      let isEmpty = blocks[first &+ way].machine == .max
      if isEmpty || clock &- blocks[first &+ way].used > clock &- blocks[best].used { best = first &+ way }
    }
    blocks[best] = block
    touch(best)
    return best & blocks.mask
  }

  /// Notes that a block was asked for.
  @inline(always) mutating func touch(_ at: Int) {
    clock &+= 1
    blocks[at].used = clock
  }

  /// Notes that a port is taken, or free again; `place` counts within the page.
  @inline(always) mutating func mark(
    _ destination: PortDestination, page: Int, place: Int, isTaken: Bool
  ) {
    let number = UInt16(truncatingIfNeeded: page)
    let at = find(destination, number)
    let bit: UInt64 = 1 << UInt64(truncatingIfNeeded: place & 63)
    if at >= 0 {
      let word = (place &>> 6) & 3
      if isTaken { blocks[at].bits[word] |= bit } else { blocks[at].bits[word] &= ~bit }
    }
    guard !isTaken else { return }
    let summary = find(destination, PortBlock.summary)
    guard summary >= 0 else { return }
    blocks[summary].bits[(page &>> 6) & 3] &= ~(1 << UInt64(truncatingIfNeeded: page & 63))
  }
}
