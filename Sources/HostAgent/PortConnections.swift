import Dataplane
import Wire

// The lives of connections by leased ports: how one begins, moves on or ends.
extension HostAgent {
  /// Whether a record stands for nothing any more.
  @inline(always) func isPortFlowOver(_ flow: PortFlow, now: UInt32) -> Bool {
    !ports.leases.leases[flow.lease].isAlive || !flow.isLent && flow.isExpired(now: now)
  }

  /// Lays down a record that has seen a packet, and tells the kernel what it has to know.
  @inline(always) mutating func updatePortFlow(_ at: Int, _ flow: PortFlow, now: UInt32) {
    ports.flows.records[at] = flow
    ports.flows.list(at, now: now)
    ports.flows.refresh(at, now: now)
    if flow.isKnown != flow.isLent && (flow.isLent || directory.machines[Int(flow.machine)].lendsFlows) {
      lendOrTakeBackPortFlow(at, now: now)
    }
  }

  /// Makes a record, if need be in the place of the connection that has lived briefly for the longest time; 0 when
  /// there is no room.
  @inline(always) mutating func beginPortFlow(_ flow: PortFlow, now: UInt32) -> Int {
    var at = ports.flows.insert(flow)
    if at == 0, ports.flows.oldest != 0 {
      forgetPortFlow(Int(ports.flows.oldest), now: now)
      at = ports.flows.insert(flow)
    }
    guard at != 0 else { return 0 }
    ports.enlist(at)
    ports.mark(at, isTaken: true)
    ports.flows.list(at, now: now)
    let cell = CounterCells.port(Int(flow.machine))
    if ports.leases.leases[flow.lease].counts[Int(flow.port & 7)] == 1 {
      cells.add(cell &+ CounterCells.portsInUse)
    }
    if !flow.isMapping { cells.add(cell &+ CounterCells.portFlows) }
    return at
  }

  /// Ends a record; of the last flow of a mapping, the mapping with it.
  mutating func forgetPortFlow(_ at: Int, now: UInt32) {
    let flow = ports.flows.records[at]
    unlinkPortFlow(at)
    if flow.proto == PortProtocol.udp && !flow.isMapping {
      let mapping = Int(flow.mapping)
      ports.flows.records[mapping].mapping &-= 1
      if ports.flows.records[mapping].mapping == 0 { unlinkPortFlow(mapping) }
    }
    let lease = ports.leases.leases[flow.lease]
    guard lease.flows == 0 else { return }
    if lease.state == PortLease.usable { ports.leases.leases[flow.lease].since = now }
    if lease.state == PortLease.recalled { ports.setState(PortLease.returning, of: flow.lease) }
  }

  private mutating func unlinkPortFlow(_ at: Int) {
    let flow = ports.flows.records[at]
    ports.mark(at, isTaken: false)
    ports.delist(at)
    ports.flows.remove(at)
    let cell = CounterCells.port(Int(flow.machine))
    if ports.leases.leases[flow.lease].counts[Int(flow.port & 7)] == 0 {
      cells.subtract(cell &+ CounterCells.portsInUse)
    }
    if !flow.isMapping { cells.subtract(cell &+ CounterCells.portFlows) }
  }

  /// Ends those connections that have lived briefly and are over.
  @inline(always) mutating func expireShortFlows(now: UInt32, budget: Int) {
    var left = budget
    while left > 0, ports.flows.oldest != 0 {
      left &-= 1
      let at = Int(ports.flows.oldest)
      let flow = ports.flows.records[at]
      guard Int32(bitPattern: now &- flow.shortSince) > Int32(Limits.closedMilliseconds) else { return }
      if flow.isExpired(now: now) { forgetPortFlow(at, now: now) } else { ports.flows.renew(at, now: now) }
    }
  }

  /// Tells the kernel of a connection that has become known, or that is no longer so.
  mutating func lendOrTakeBackPortFlow(_ at: Int, now: UInt32) {
    let flow = ports.flows.records[at]
    guard !changes.isFull else { return }
    changes.append(FlowChange(flow.isLent ? .ended : .known, describe(flow)))
    ports.flows.records[at].state ^= PortFlow.lent
    ports.flows.list(at, now: now)
  }

  @inline(always) private func describe(_ flow: PortFlow) -> KnownFlow {
    let lease = ports.leases.leases[flow.lease]
    // Of a VM that is gone the directory has nothing, and the kernel finds flows without the DIP.
    return KnownFlow(
      machine: UInt32(flow.machine), locator: lease.locator,
      dip: directory.machines[Int(flow.machine)].dip, vip: lease.vip,
      vipPort: lease.port(of: flow), backendPort: flow.localPort, remote: flow.remote,
      remotePort: flow.remotePort, proto: flow.proto == PortProtocol.udp ? .udp : .tcp)
  }

  /// Asks about a lent connection that seems silent, takes back one that is over.
  private mutating func reviewPortFlow(_ at: Int, now: UInt32) {
    let flow = ports.flows.records[at]
    guard flow.isKnown, ports.leases.leases[flow.lease].isAlive else {
      return lendOrTakeBackPortFlow(at, now: now)
    }
    guard flow.isExpired(now: now), !changes.isFull else { return }
    changes.append(FlowChange(.silent, describe(flow)))
  }

  /// Ends silent connections, drops packets that have waited for too long, gives idle ranges back, asks again.
  @inline(always) mutating func sweepPorts(now: UInt32, budget: Int) {
    if ports.flows.top > 0 { sweepPortFlows(now: now, budget: budget) }
    if ports.queue.count > 0 { dropOverdue(now: now) }
    // So that the first repetition comes 5 s after the first return, however long there was none.
    if ports.leases.returning == 0 { ports.returnedAt = now }
    if ports.leases.count > 0 { sweepRanges(now: now) }
    askAgain(now: now)
  }

  private mutating func sweepPortFlows(now: UInt32, budget: Int) {
    expireShortFlows(now: now, budget: budget)
    var left = min(budget, ports.flows.top)
    while left > 0 {
      left &-= 1
      let at = ports.flows.cursor
      ports.flows.cursor = at < ports.flows.top ? at &+ 1 : 1
      let flow = ports.flows.records[at]
      if flow.isEmpty || flow.isMapping { continue }
      if flow.isLent { reviewPortFlow(at, now: now) }
      if isPortFlowOver(ports.flows.records[at], now: now) && !ports.flows.records[at].isLent {
        forgetPortFlow(at, now: now)
      }
    }
  }

  private mutating func dropOverdue(now: UInt32) {
    for at in 0..<ports.queue.slots.count {
      let slot = ports.queue.slots[at]
      guard slot.state == HeldSlot.waiting,
        Int32(bitPattern: now &- slot.since) > Int32(Limits.heldMilliseconds)
      else { continue }
      dropFirstHeld(of: Int(slot.machine), as: .heldTooLong)
    }
  }

  /// Drops the packet that has waited for the longest time; false when the VM has none.
  @discardableResult
  mutating func dropFirstHeld(of machine: Int, as reason: DropReason) -> Bool {
    var owner = ports.machines[machine]
    let isDropped = ports.queue.dropFirst(&owner)
    ports.machines[machine] = owner
    guard isDropped else { return false }
    cells.subtract(CounterCells.port(machine) &+ CounterCells.held)
    cells.add(CounterCells.drop(reason))
    cells.add(CounterCells.machine(machine) &+ 4)
    cells.add(CounterCells.port(machine) &+ CounterCells.portDrops)
    return true
  }

  /// Looks at some VMs: whether an answer is overdue, and whether a refusal is over, before the clock has wrapped.
  private mutating func askAgain(now: UInt32) {
    for _ in 0..<Limits.requestsPerSweep {
      let machine = ports.requestCursor
      ports.requestCursor = (machine &+ 1) & (Limits.machines &- 1)
      let owner = ports.machines[machine]
      if owner.isRefused, Int32(bitPattern: now &- owner.refusedUntil) >= 0 {
        ports.machines[machine].isRefused = false
      }
      guard owner.request == PortMachine.sent,
        Int32(bitPattern: now &- owner.sentAt) >= Int32(Limits.repeatMilliseconds)
      else { continue }
      if owner.held > 0 {
        ports.ask(machine, now: now, isRepeated: true)
      } else {
        ports.machines[machine].request = PortMachine.noRequest
      }
    }
  }
}
