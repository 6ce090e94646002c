import Dataplane
import Wire

// The lives of ranges that are no longer used: idle, recalled, taken away.
extension HostAgent {
  /// Looks at some pages for ranges that are idle or were recalled long ago, and goes on with those that end.
  mutating func sweepRanges(now: UInt32) {
    if ports.leases.ending > 0 { endRanges() }
    for _ in 0..<Limits.pagesPerSweep {
      let page = ports.leases.cursor
      ports.leases.cursor = page < ports.leases.top ? page &+ 1 : 1
      var slots = ports.leases.pages[page].occupied
      while slots != 0 {
        let at = page &* 32 &+ slots.trailingZeroBitCount
        slots &= slots &- 1
        review(range: at, now: now)
      }
    }
    guard ports.leases.returning > 0 else { return }
    if Int32(bitPattern: now &- ports.returnedAt) >= Int32(Limits.repeatMilliseconds) {
      ports.returnedAt = now
      repeatReturns()
    }
  }

  private mutating func review(range at: Int, now: UInt32) {
    let lease = ports.leases.leases[at]
    let age = Int32(bitPattern: now &- lease.since)
    if lease.state == PortLease.recalled, lease.flows == 0 {
      ports.setState(PortLease.returning, of: at)
      return
    }
    if lease.state == PortLease.recalled, age >= Int32(Limits.recallMilliseconds) {
      // The last of them returns it.
      _ = endFlows(of: at, now: now)
      return
    }
    guard lease.state == PortLease.usable, lease.flows == 0, age >= Int32(Limits.idleRangeMilliseconds),
      ports.machines[Int(lease.machine)].usable > 1
    else { return }
    ports.setState(PortLease.returning, of: at)
  }

  /// Ends all flows of a range; false when there is no room to take all back that the kernel carries.
  mutating func endFlows(of at: Int, now: UInt32) -> Bool {
    while true {
      let first = Int(ports.leases.leases[at].first)
      guard first != 0 else { return true }
      let flow = ports.flows.records[first]
      if flow.isLent {
        guard !changes.isFull else { return false }
        lendOrTakeBackPortFlow(first, now: now)
      }
      // A mapping comes behind its flows in the list, and the last of them takes it along.
      forgetPortFlow(first, now: now)
    }
  }

  /// Takes a range away; false when the kernel still carries flows of it.
  mutating func end(range at: Int) -> Bool {
    if ports.leases.leases[at].state != PortLease.ending { ports.setState(PortLease.ending, of: at) }
    guard endFlows(of: at, now: 0) else { return false }
    let machine = Int(ports.leases.leases[at].machine)
    ports.setState(PortLease.none, of: at)
    ports.leases.remove(at)
    ports.machines[machine].ranges &-= 1
    cells.subtract(CounterCells.port(machine) &+ CounterCells.ranges)
    return true
  }

  /// Goes on with ranges that could not end.
  private mutating func endRanges() {
    var page = 0
    while page < ports.leases.top {
      page &+= 1
      var slots = ports.leases.pages[page].ending
      while slots != 0 {
        let at = page &* 32 &+ slots.trailingZeroBitCount
        slots &= slots &- 1
        guard end(range: at) else { return }
      }
    }
  }

  /// Takes all ranges from VMs that a map does not name any more, or that have become others.
  mutating func endRanges(unnamedBy map: HostMap) {
    var next = 0
    for index in 0..<Limits.machines {
      var isSame = false
      if next < map.machines.count, Int(map.machines[next].index) == index {
        let record = directory.machines[index]
        isSame = map.machines[next].locator == record.locator && map.machines[next].dip == record.dip
        next += 1
      }
      guard !isSame, directory.machines[index].dip != .any else { continue }
      while dropFirstHeld(of: index, as: .noSNAT) {}
      endRanges(of: index)
      ports.machines[index].request = PortMachine.noRequest
      ports.machines[index].isRefused = false
    }
  }

  private mutating func endRanges(of machine: Int) {
    for index in 0..<Limits.pagesPerMachine {
      let page = ports.leases.page(index, of: machine)
      guard page != 0 else { continue }
      var slots = ports.leases.pages[page].occupied
      while slots != 0 {
        let at = page * 32 + slots.trailingZeroBitCount
        slots &= slots &- 1
        _ = end(range: at)
      }
    }
  }
}
