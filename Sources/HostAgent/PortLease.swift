import Dataplane
import Wire

/// A range that a VM has: one cache line.
struct PortLease: BitwiseCopyable {
  @inline(always) static var none: UInt8 { 0 }
  @inline(always) static var usable: UInt8 { 1 }
  /// New flows do not take it.
  @inline(always) static var recalled: UInt8 { 2 }
  /// Without flows, and said to the manager to be so.
  @inline(always) static var returning: UInt8 { 3 }
  /// Taken away, while the kernel still carries flows of it.
  @inline(always) static var ending: UInt8 { 4 }

  var vip: IPv4Address
  /// The VM's: its flows in the kernel are found by it, also when the VM is gone.
  var locator: IPv4Address
  var firstPort: UInt16
  var machine: UInt16
  var state: UInt8
  /// Which of its VM's pages it lies in.
  var page: UInt8
  var next: UInt32 = 0
  /// The first of its flows.
  var first: UInt32 = 0
  /// How many flows and mappings it has.
  var flows: UInt32 = 0
  /// Since when it has none, or when it was recalled.
  var since: UInt32
  /// Flows of each port.
  var counts = InlineArray<8, UInt32>(repeating: 0)

  @inline(always) init(
    _ range: SNATRange, machine: Int, locator: IPv4Address, page: Int, now: UInt32
  ) {
    vip = range.vip
    self.locator = locator
    firstPort = range.firstPort
    self.machine = UInt16(truncatingIfNeeded: machine)
    state = Self.usable
    self.page = UInt8(truncatingIfNeeded: page)
    since = now
  }

  /// By which of its ports a connection goes.
  @inline(always) func port(of flow: PortFlow) -> UInt16 {
    firstPort | UInt16(truncatingIfNeeded: flow.port & 7)
  }
  @inline(always) var range: SNATRange { SNATRange(vip: vip, holding: firstPort) }
  /// Whether its flows may send and receive.
  @inline(always) var isAlive: Bool { state == Self.usable || state == Self.recalled }
}

/// 32 ranges of one VM, by bits.
struct PortPage: BitwiseCopyable {
  var machine: UInt16 = 0
  /// Which of its VM's pages it is.
  var index: UInt16 = 0
  /// Of a page that is free: the next one.
  var next: UInt32 = 0
  var occupied: UInt32 = 0
  var usable: UInt32 = 0
  var returning: UInt32 = 0
  /// Of those returning: not yet taken by the worker.
  var unreported: UInt32 = 0
  var ending: UInt32 = 0
}

/// The ranges of a worker's VMs: in pages of 32, which a VM numbers by itself.
///
/// So each of a VM's ports has a number of 16 bits that stays, whatever ranges come and go: page, range, port.
struct PortLeaseTable: ~Copyable {
  var leases: Table<PortLease>
  var pages: Table<PortPage>
  /// For each VM the numbers of its pages, 0 where there is none.
  private var pageNumbers: Table<UInt16>
  private var heads: Table<UInt32>
  private var free: UInt32 = 0
  /// Pages above this one have never been used.
  private(set) var top = 0
  private(set) var count = 0
  var returning = 0
  var unreported = 0
  var ending = 0
  /// Where the search for ranges to report goes on, and where the sweep does.
  var reportCursor = 1
  var cursor = 1

  init() {
    leases = Table(untouched: Limits.portPages * 32)
    pages = Table(capacity: Limits.portPages, repeating: PortPage())
    pageNumbers = Table(capacity: Limits.machines * 256, repeating: 0)
    heads = Table(capacity: Limits.leaseHeads, repeating: 0)
  }

  /// The page that a VM numbers so, or 0.
  @inline(always) func page(_ index: Int, of machine: Int) -> Int {
    Int(pageNumbers[machine &* 256 &+ (index & 255)])
  }

  @inline(always) private func place(_ vip: IPv4Address, _ port: UInt16) -> Int {
    let product = (UInt64(vip.raw) << 16 | UInt64(port &>> 3)).multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
    return Int(truncatingIfNeeded: product.high ^ product.low)
  }

  /// The number of the lease that a port of a VIP belongs to, or 0.
  @inline(always) func find(vip: IPv4Address, port: UInt16) -> Int {
    let first = port & ~7
    var at = Int(heads[place(vip, first)])
    while at != 0 {
      let lease = leases[at]
      if lease.vip == vip && lease.firstPort == first { return at }
      at = Int(lease.next)
    }
    return 0
  }

  /// Makes a lease in the VM's lowest free place; 0 when there is no room.
  mutating func insert(
    _ range: SNATRange, machine: Int, locator: IPv4Address, now: UInt32
  ) -> Int {
    guard count < Limits.leases else { return 0 }
    for index in 0..<Limits.pagesPerMachine {
      var number = page(index, of: machine)
      if number == 0 { number = addPage(index, to: machine) }
      guard number != 0 else { return 0 }
      let occupied = pages[number].occupied
      guard occupied != .max else { continue }
      let slot = (~occupied).trailingZeroBitCount
      let at = number &* 32 &+ slot
      var lease = PortLease(range, machine: machine, locator: locator, page: index, now: now)
      let head = place(range.vip, range.firstPort)
      lease.next = heads[head]
      leases[at] = lease
      heads[head] = UInt32(truncatingIfNeeded: at)
      pages[number].occupied |= 1 << UInt32(slot)
      pages[number].usable |= 1 << UInt32(slot)
      count &+= 1
      return at
    }
    return 0
  }

  private mutating func addPage(_ index: Int, to machine: Int) -> Int {
    var number = Int(free)
    if number != 0 {
      free = pages[number].next
    } else {
      guard top &+ 1 < pages.count else { return 0 }
      top &+= 1
      number = top
    }
    var page = PortPage()
    page.machine = UInt16(truncatingIfNeeded: machine)
    page.index = UInt16(truncatingIfNeeded: index)
    pages[number] = page
    pageNumbers[machine &* 256 &+ index] = UInt16(truncatingIfNeeded: number)
    return number
  }

  /// Moves a lease to another state, and the bits and counts that say so.
  @inline(always) mutating func setState(_ state: UInt8, of at: Int) {
    let bit: UInt32 = 1 << UInt32(truncatingIfNeeded: at & 31)
    var page = pages[at &>> 5]
    if leases[at].state == PortLease.returning {
      returning &-= 1
      if page.unreported & bit != 0 { unreported &-= 1 }
    }
    if leases[at].state == PortLease.ending { ending &-= 1 }
    page.usable &= ~bit
    page.returning &= ~bit
    page.unreported &= ~bit
    page.ending &= ~bit
    leases[at].state = state
    if state == PortLease.usable { page.usable |= bit }
    if state == PortLease.returning {
      page.returning |= bit
      page.unreported |= bit
      returning &+= 1
      unreported &+= 1
    }
    if state == PortLease.ending {
      page.ending |= bit
      ending &+= 1
    }
    pages[at &>> 5] = page
  }

  /// Ends a lease that has no flows.
  mutating func remove(_ at: Int) {
    setState(PortLease.none, of: at)
    let lease = leases[at]
    let head = place(lease.vip, lease.firstPort)
    var before = Int(heads[head])
    if before == at {
      heads[head] = lease.next
    } else {
      while before != 0, Int(leases[before].next) != at { before = Int(leases[before].next) }
      if before != 0 { leases[before].next = lease.next }
    }
    count &-= 1
    let number = at &>> 5
    pages[number].occupied &= ~(1 << UInt32(truncatingIfNeeded: at & 31))
    guard pages[number].occupied == 0 else { return }
    pageNumbers[Int(lease.machine) &* 256 &+ Int(lease.page)] = 0
    pages[number].next = free
    free = UInt32(truncatingIfNeeded: number)
  }
}
