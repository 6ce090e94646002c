public import Dataplane
import Wire

/// A range that its VM has done with: to be reported to the manager.
public struct ReturnedRange: BitwiseCopyable, Hashable, Sendable {
  /// The VM, by its index.
  public let machine: UInt32
  /// Its ports.
  public let range: SNATRange
}

/// What became of a lease.
public enum LeaseOutcome: Equatable, Sendable {
  /// The VM may use the range.
  case made
  /// The host has no such VM or no room, or another VM has the range: it is to be reported as returned.
  case noRoom
  /// The range was taken away, and the kernel still carries flows of it: to be leased again when that is over.
  case stillEnding
}

/// A packet whose wait is over: to be sent through `HostAgent.outbound` again.
public struct HeldPacket: BitwiseCopyable, Hashable, Sendable {
  /// The VM, by its index.
  public let machine: UInt32
  /// Where the worker has put it.
  public let slot: Int
}

// Ports that the manager leases to the host's VMs, as the worker's mailbox brings them, and what the worker
// has to tell the manager.
//
// ```
//            lease            no flow for 60 s            takeReturnedRange
//  manager ─────────► in use ──────────────────► idle ─────────────────────► manager
//                      │  ▲                        ▲                            │
//               recall │  │ lease                  │ last flow, or 240 s        │
//                      ▼  │                        │                            ▼
//                    recalled ─────────────────────┘                    withdraw: all flows die
// ```
extension HostAgent {
  /// How many packets wait for ports at most: slots are numbered from 0 and end before this.
  public static var heldSlots: Int { Limits.heldPackets }
  /// The longest packet that waits.
  public static var heldByteCount: Int { Limits.heldByteCount }
  /// Octets of a connection's record, of a range's and of a block: a cache line each, as the limits count them.
  package static var portRecordByteCounts: [Int] {
    [MemoryLayout<PortFlow>.stride, MemoryLayout<PortLease>.stride, MemoryLayout<PortBlock>.stride]
  }

  /// Lets a VM use a range; one that it has already is recalled no more.
  ///
  /// Packets that the VM waits with may go now: `takeHeld`. To be called between two batches, after the map that
  /// names the VM was adopted.
  ///
  /// - Returns: what became of it.
  @discardableResult
  public mutating func lease(_ range: SNATRange, to machine: UInt32, now: UInt32) -> LeaseOutcome {
    let machine = Int(machine & 0x3ff)
    var at = ports.leases.find(vip: range.vip, port: range.firstPort)
    if at != 0 {
      let lease = ports.leases.leases[at]
      guard lease.state != PortLease.ending else { return .stillEnding }
      guard Int(lease.machine) == machine else { return .noRoom }
      if lease.flows == 0 { ports.leases.leases[at].since = now }
      if lease.state != PortLease.usable { ports.setState(PortLease.usable, of: at) }
    } else {
      guard directory.machines[machine].dip != .any else { return .noRoom }
      at = ports.leases.insert(
        range, machine: machine, locator: directory.machines[machine].locator, now: now)
      guard at != 0 else { return .noRoom }
      ports.machines[machine].usable &+= 1
      ports.machines[machine].ranges &+= 1
      ports.machines[machine].generation &+= 1
      ports.notePage(at, machine)
      cells.add(CounterCells.port(machine) &+ CounterCells.ranges)
    }
    answer(machine, now: now)
    ports.machines[machine].isRefused = false
    var owner = ports.machines[machine]
    cells.add(CounterCells.port(machine) &+ CounterCells.held, 0 &- UInt64(owner.held))
    ports.queue.release(&owner)
    ports.machines[machine] = owner
    return .made
  }

  /// Notes that a request was answered.
  private mutating func answer(_ machine: Int, now: UInt32) {
    guard ports.machines[machine].request != PortMachine.noRequest else { return }
    ports.machines[machine].request = PortMachine.noRequest
    let wait = Int32(bitPattern: now &- ports.machines[machine].askedAt)
    let bucket = WaitHistogram.bucket(UInt32(max(0, wait)))
    cells.add(CounterCells.port(machine) &+ CounterCells.waits &+ bucket)
  }

  /// The lease of a VM, or 0.
  private func lease(_ range: SNATRange, of machine: UInt32) -> Int {
    let at = ports.leases.find(vip: range.vip, port: range.firstPort)
    return at != 0 && UInt32(ports.leases.leases[at].machine) == machine ? at : 0
  }

  /// Lets no new flow take a range, which goes back when its last one ends, after 240 s at the latest.
  ///
  /// One without flows goes back with the next sweep that finds it: after a restart the flows that the kernel has gone
  /// on with are restored behind this.
  public mutating func recall(_ range: SNATRange, machine: UInt32, now: UInt32) {
    let at = lease(range, of: machine)
    guard at != 0, ports.leases.leases[at].state == PortLease.usable else { return }
    ports.leases.leases[at].since = now
    ports.setState(PortLease.recalled, of: at)
  }

  /// Takes a range away: its flows are dead from now on, and nothing leaves by it.
  ///
  /// - Returns: whether it has ended. False: the kernel still carries flows of it. The worker takes the changes
  ///   (`takeChange`) and calls again, and does not acknowledge the command before. True also when the VM
  ///   does not have the range.
  public mutating func withdraw(_ range: SNATRange, machine: UInt32) -> Bool {
    let at = lease(range, of: machine)
    return at == 0 || end(range: at)
  }

  /// Whether ranges have been taken away, or their VMs have gone, whose flows the kernel still carries.
  ///
  /// `takeChange` and `sweep` bring it to an end. A host that must not use ranges any more has done so when this is
  /// false.
  public var isEndingRanges: Bool { ports.leases.ending > 0 }

  /// Notes that the manager gives a VM no ports: what it waits with is dropped and counted.
  ///
  /// New flows for which no port fits are dropped at once for so long, and do not ask.
  ///
  /// - Parameters:
  ///   - machine: the VM, by its index.
  ///   - now: milliseconds.
  ///   - retryAfterMilliseconds: how long not to ask again.
  ///   - reason: as what to count the packets: `.noSNAT` when no service lets the VM out.
  public mutating func refuse(
    machine: UInt32, now: UInt32, retryAfterMilliseconds: UInt32, reason: DropReason = .portsExhausted
  ) {
    let machine = Int(machine & 0x3ff)
    let wasAsked = ports.machines[machine].request != PortMachine.noRequest
    answer(machine, now: now)
    if wasAsked { cells.add(CounterCells.port(machine) &+ CounterCells.refused) }
    ports.machines[machine].isRefused = true
    ports.machines[machine].reason = reason
    ports.machines[machine].refusedUntil = now &+ min(retryAfterMilliseconds, Limits.idleMilliseconds)
    while dropFirstHeld(of: machine, as: reason) {}
  }

  /// The next VM that needs more ports; nil when there is none.
  ///
  /// A worker takes all after each batch. Each VM has one request under way until it gets ports, is refused, or
  /// 5 s are over.
  public mutating func takePortRequest() -> UInt32? {
    let machine = ports.takeRequest()
    return machine < 0 ? nil : UInt32(truncatingIfNeeded: machine)
  }

  /// Has all requests that are under way made again, on a new stream to the manager.
  public mutating func repeatRequests() {
    for machine in 0..<Limits.machines where ports.machines[machine].request == PortMachine.sent {
      ports.ask(machine, now: ports.machines[machine].sentAt, isRepeated: true)
    }
  }

  /// The next range to be reported as returned; nil when there is none.
  ///
  /// A worker takes all after each batch. What was not withdrawn 5 s later is returned again.
  public mutating func takeReturnedRange() -> ReturnedRange? {
    var left = ports.leases.top
    while ports.leases.unreported > 0, left >= 0 {
      let number = ports.leases.reportCursor
      let page = ports.leases.pages[number]
      guard page.unreported != 0 else {
        ports.leases.reportCursor = number < ports.leases.top ? number &+ 1 : 1
        left &-= 1
        continue
      }
      ports.leases.pages[number].unreported = page.unreported & (page.unreported &- 1)
      ports.leases.unreported &-= 1
      let lease = ports.leases.leases[number &* 32 &+ page.unreported.trailingZeroBitCount]
      return ReturnedRange(machine: UInt32(lease.machine), range: lease.range)
    }
    return nil
  }

  /// Has all ranges returned again that have not been withdrawn yet, on a new stream to the manager.
  public mutating func repeatReturns() {
    var number = 0
    while number < ports.leases.top {
      number &+= 1
      let page = ports.leases.pages[number]
      ports.leases.unreported &+= page.returning.nonzeroBitCount &- page.unreported.nonzeroBitCount
      ports.leases.pages[number].unreported = page.returning
    }
  }

  /// The next held packet that may go through `outbound` again; nil when there is none.
  ///
  /// A worker takes all after each lease and sends each at once, out of the slot, which is free for the next
  /// `.hold` from then on. Packets that are dropped instead are counted here and need nothing from the worker.
  public mutating func takeHeld() -> HeldPacket? {
    let slot = ports.queue.take()
    guard slot >= 0 else { return nil }
    return HeldPacket(machine: UInt32(ports.queue.slots[slot].machine), slot: slot)
  }

  /// What is known of a VM's leased ports; `counters` has it for other threads.
  public func portStatus(_ machine: UInt32) -> HostCounters.Ports { counters.ports(machine) }
}
