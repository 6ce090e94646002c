import Wire

// Which of a VM's ports a new flow takes: the lowest range with one that nothing uses towards the same remote end, so
// that high ranges fall idle and go back; within the range any of them by chance.
extension Ports {
  /// A port, as the number of its lease and its place in it; 0 when all are taken.
  ///
  /// Towards a destination with few flows the first range is tried. Else blocks say what is free: one look
  /// at the first page, and where that is full, at the summary and at the page that it names.
  @inline(always) mutating func choose(_ destination: PortDestination) -> UInt32 {
    let machine = Int(destination.machine)
    let owner = machines[machine]
    guard owner.usable > 0 else { return 0 }
    let first = Self.lowest(owner.pages)
    guard first >= 0 else { return 0 }
    let at = blocks.find(destination, UInt16(truncatingIfNeeded: first))
    if at >= 0 {
      let port = free(in: at, page: leases.page(first, of: machine))
      if port != 0 { return port }
    } else {
      let port = tryFirstRange(destination, page: leases.page(first, of: machine))
      if port != 0 { return port }
      if owner.usable == 1 { return 0 }
    }
    return search(destination, owner)
  }

  @inline(always) private static func lowest(_ bits: InlineArray<4, UInt64>) -> Int {
    for word in 0..<4 where bits[word] != 0 { return word &* 64 &+ bits[word].trailingZeroBitCount }
    return -1
  }

  @inline(always) private mutating func tryFirstRange(_ destination: PortDestination, page: Int) -> UInt32 {
    let lease = page &* 32 &+ leases.pages[page].usable.trailingZeroBitCount
    let counts = leases.leases[lease].counts
    let start = Int(truncatingIfNeeded: random() &>> 40)
    for step in 0..<8 {
      let place = (start &+ step) & 7
      let port = UInt32(truncatingIfNeeded: lease &<< 3 | place)
      if counts[place] == 0 || !isTaken(port, destination) { return port }
    }
    return 0
  }

  @inline(always) private func isTaken(_ port: UInt32, _ destination: PortDestination) -> Bool {
    flows.find(
      port: port, proto: destination.proto, remote: destination.remote, remotePort: destination.remotePort)
      != 0
  }

  /// A port of a page that a block says is free; 0 when there is none.
  @inline(always) private mutating func free(in at: Int, page: Int) -> UInt32 {
    let taken = blocks[at].bits
    let usable = leases.pages[page].usable
    for word in 0..<4 {
      let ranges = UInt64(usable &>> UInt32(truncatingIfNeeded: word &* 8)) & 0xff
      let free = ~taken[word] & Self.spread(ranges)
      guard free != 0 else { continue }
      let range = free.trailingZeroBitCount &>> 3
      let ports = UInt32(truncatingIfNeeded: free &>> UInt64(truncatingIfNeeded: range &* 8)) & 0xff
      // The first that is free from one taken by chance, around the eight.
      let start = UInt32(truncatingIfNeeded: random() &>> 40) & 7
      let turned = (ports &>> start | ports &<< (8 &- start)) & 0xff
      let place = (UInt32(truncatingIfNeeded: turned.trailingZeroBitCount) &+ start) & 7
      blocks.touch(at)
      return UInt32(truncatingIfNeeded: page &* 32 &+ word &* 8 &+ range) &<< 3 | place
    }
    return 0
  }

  /// Each of eight bits as a byte of ones or zeros.
  @inline(always) static func spread(_ bits: UInt64) -> UInt64 {
    let one = bits &* 0x0101_0101_0101_0101 & 0x8040_2010_0804_0201
    let high = ((one & 0x7f7f_7f7f_7f7f_7f7f) &+ 0x7f7f_7f7f_7f7f_7f7f | one) & 0x8080_8080_8080_8080
    return (high &>> 7) &* 0xff
  }

  /// Looks at every page that is not known to be full, the lowest first.
  @inline(never) private mutating func search(_ destination: PortDestination, _ owner: PortMachine) -> UInt32
  {
    let machine = Int(destination.machine)
    var summary = blocks.find(destination, PortBlock.summary)
    if summary >= 0, blocks[summary].generation != owner.generation {
      blocks[summary].bits = InlineArray(repeating: 0)
      blocks[summary].generation = owner.generation
    }
    let full = summary >= 0 ? blocks[summary].bits : InlineArray(repeating: 0)
    var builds = 0
    for word in 0..<4 {
      var left = owner.pages[word] & ~full[word]
      while left != 0 {
        let index = word &* 64 &+ left.trailingZeroBitCount
        left &= left &- 1
        let number = leases.page(index, of: machine)
        var at = blocks.find(destination, UInt16(truncatingIfNeeded: index))
        if at < 0 {
          // So no packet takes long; what is found now, the next one need not look for.
          guard builds < Limits.portBlockBuilds else { return 0 }
          builds &+= 1
          at = build(destination, index, page: number)
        }
        let port = free(in: at, page: number)
        if port != 0 { return port }
        summary = blocks.find(destination, PortBlock.summary)
        if summary < 0 {
          var block = PortBlock(destination, PortBlock.summary)
          block.generation = owner.generation
          summary = blocks.put(block, destination, PortBlock.summary)
        }
        blocks[summary].bits[word] |= 1 << UInt64(truncatingIfNeeded: index & 63)
        blocks.touch(summary)
      }
    }
    return 0
  }

  /// Makes a block from the flows of a page.
  private mutating func build(_ destination: PortDestination, _ index: Int, page: Int) -> Int {
    var block = PortBlock(destination, UInt16(truncatingIfNeeded: index))
    var slots = leases.pages[page].occupied
    while slots != 0 {
      let slot = slots.trailingZeroBitCount
      slots &= slots &- 1
      let lease = page &* 32 &+ slot
      let counts = leases.leases[lease].counts
      for place in 0..<8 where counts[place] != 0 {
        guard isTaken(UInt32(truncatingIfNeeded: lease &<< 3 | place), destination) else { continue }
        block.bits[(slot &>> 3) & 3] |= 1 << UInt64(truncatingIfNeeded: (slot & 7) &* 8 &+ place)
      }
    }
    return blocks.put(block, destination, UInt16(truncatingIfNeeded: index))
  }

  /// Notes a new flow, or the end of one, where destinations are remembered.
  @inline(always) mutating func mark(_ at: Int, isTaken: Bool) {
    let flow = flows.records[at]
    // Flows of a mapping have its port without looking for one.
    if flow.proto == PortProtocol.udp && !flow.isMapping { return }
    let lease = flow.lease
    let destination = PortDestination(
      machine: Int(flow.machine), proto: flow.proto, remote: flow.remote, remotePort: flow.remotePort)
    blocks.mark(
      destination, page: Int(leases.leases[lease].page), place: (lease & 31) &* 8 &+ Int(flow.port & 7),
      isTaken: isTaken)
  }
}
