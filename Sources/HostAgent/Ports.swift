import Dataplane
import Wire

/// What a worker knows of leased ports: ranges, connections, and who waits for more.
struct Ports: ~Copyable {
  var machines: Table<PortMachine>
  var leases = PortLeaseTable()
  var flows: PortFlowTable
  var blocks = PortBlocks()
  var queue = HoldQueue()
  /// VMs whose requests are to be taken.
  private var requests: Table<UInt16>
  private var firstRequest = 0
  private var requestCount = 0
  /// The next VM whose request is looked at for its time.
  var requestCursor = 0
  /// When ranges were last returned all together.
  var returnedAt: UInt32 = 0
  private var chance: UInt64

  init(flowCapacity: Int, seed: UInt64) {
    machines = Table(capacity: Limits.machines, repeating: PortMachine())
    flows = PortFlowTable(capacity: max(flowCapacity, 16), seed: seed)
    requests = Table(capacity: Limits.machines, repeating: 0)
    // What choices show of these numbers gives away nothing of the seed, which keeps flows apart in tables.
    chance = SipHash(low: seed, high: 0).finish(rest: 0, byteCount: 0).low | 1
  }

  /// A number that strangers do not know (xorshift64, Marsaglia 2003).
  @inline(always) mutating func random() -> UInt64 {
    chance ^= chance &<< 13
    chance ^= chance &>> 7
    chance ^= chance &<< 17
    return chance
  }

  /// Queues a VM's request.
  @inline(always) mutating func ask(_ machine: Int, now: UInt32, isRepeated: Bool) {
    if !isRepeated { machines[machine].askedAt = now }
    machines[machine].sentAt = now
    machines[machine].request = PortMachine.queued
    guard !machines[machine].isInRing else { return }
    machines[machine].isInRing = true
    requests[firstRequest &+ requestCount] = UInt16(truncatingIfNeeded: machine)
    requestCount &+= 1
  }

  /// The next VM that asks, or -1.
  @inline(always) mutating func takeRequest() -> Int {
    while requestCount > 0 {
      let machine = Int(requests[firstRequest])
      firstRequest = (firstRequest &+ 1) & requests.mask
      requestCount &-= 1
      machines[machine].isInRing = false
      guard machines[machine].request == PortMachine.queued else { continue }
      machines[machine].request = PortMachine.sent
      return machine
    }
    return -1
  }

  /// Moves a lease to another state, and its VM's counts.
  @inline(always) mutating func setState(_ state: UInt8, of at: Int) {
    let lease = leases.leases[at]
    let machine = Int(lease.machine)
    if lease.state == PortLease.usable { machines[machine].usable &-= 1 }
    if state == PortLease.usable {
      machines[machine].usable &+= 1
      machines[machine].generation &+= 1
    }
    leases.setState(state, of: at)
    notePage(at, machine)
  }

  /// Notes whether the page of a lease has usable ranges.
  @inline(always) mutating func notePage(_ at: Int, _ machine: Int) {
    let index = Int(leases.leases[at].page)
    let bit: UInt64 = 1 << UInt64(truncatingIfNeeded: index & 63)
    let word = (index &>> 6) & 3
    if leases.pages[at &>> 5].usable != 0 {
      machines[machine].pages[word] |= bit
    } else {
      machines[machine].pages[word] &= ~bit
    }
  }

  /// Puts a record into the list of its range and counts it.
  @inline(always) mutating func enlist(_ at: Int) {
    let flow = flows.records[at]
    var lease = leases.leases[flow.lease]
    flows.records[at].rangeNext = lease.first
    if lease.first != 0 { flows.records[Int(lease.first)].rangePrevious = UInt32(truncatingIfNeeded: at) }
    lease.first = UInt32(truncatingIfNeeded: at)
    lease.flows &+= 1
    lease.counts[Int(flow.port & 7)] &+= 1
    leases.leases[flow.lease] = lease
    machines[Int(flow.machine)].flows &+= 1
  }

  /// The reverse.
  @inline(always) mutating func delist(_ at: Int) {
    let flow = flows.records[at]
    var lease = leases.leases[flow.lease]
    if flow.rangePrevious == 0 {
      lease.first = flow.rangeNext
    } else {
      flows.records[Int(flow.rangePrevious)].rangeNext = flow.rangeNext
    }
    if flow.rangeNext != 0 { flows.records[Int(flow.rangeNext)].rangePrevious = flow.rangePrevious }
    lease.flows &-= 1
    lease.counts[Int(flow.port & 7)] &-= 1
    leases.leases[flow.lease] = lease
    machines[Int(flow.machine)].flows &-= 1
  }
}
