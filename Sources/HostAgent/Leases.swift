public import Dataplane
import Wire

/// A range that its VM has done with: to be reported to the manager.
public struct ReturnedRange: BitwiseCopyable, Hashable, Sendable {
  /// The VM, by its index.
  public let machine: UInt32
  /// Its ports.
  public let range: SNATRange
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

  /// Lets a VM use a range; one that it has already is recalled no more.
  ///
  /// Packets that the VM waits with may go now: `takeHeld`. To be called between two batches, after the map that
  /// names the VM was adopted.
  ///
  /// - Returns: false when the host has no such VM or has no room: the range is to be reported as returned.
  @discardableResult
  public mutating func lease(_ range: SNATRange, to machine: UInt32, now: UInt32) -> Bool { false }

  /// Lets no new flow take a range, which goes back when its last one ends, after 240 s at the latest.
  public mutating func recall(_ range: SNATRange, machine: UInt32, now: UInt32) {}

  /// Takes a range away: its flows are dead from now on, and nothing leaves by it.
  ///
  /// - Returns: whether it has ended. False: the kernel still carries flows of it. The worker takes the changes
  ///   (`takeChange`) and calls again, and does not acknowledge the command before. True also when the VM
  ///   does not have the range.
  public mutating func withdraw(_ range: SNATRange, machine: UInt32) -> Bool { true }

  /// Whether ranges have been taken away, or their VMs have gone, whose flows the kernel still carries.
  ///
  /// `takeChange` and `sweep` bring it to an end. A host that must not use ranges any more has done so when this is
  /// false.
  public var isEndingRanges: Bool { false }

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
  ) {}

  /// The next VM that needs more ports; nil when there is none.
  ///
  /// A worker takes all after each batch. Each VM has one request under way until it gets ports, is refused, or
  /// 5 s are over.
  public mutating func takePortRequest() -> UInt32? { nil }

  /// Has all requests that are under way made again, on a new stream to the manager.
  public mutating func repeatRequests() {}

  /// The next range to be reported as returned; nil when there is none.
  ///
  /// A worker takes all after each batch. What was not withdrawn 5 s later is returned again.
  public mutating func takeReturnedRange() -> ReturnedRange? { nil }

  /// Has all ranges returned again that have not been withdrawn yet, on a new stream to the manager.
  public mutating func repeatReturns() {}

  /// The next held packet that may go through `outbound` again; nil when there is none.
  ///
  /// A worker takes all after each lease and sends each at once, out of the slot, which is free for the next
  /// `.hold` from then on. Packets that are dropped instead are counted here and need nothing from the worker.
  public mutating func takeHeld() -> HeldPacket? { nil }

  /// What is known of a VM's leased ports; `counters` has it for other threads.
  public func portStatus(_ machine: UInt32) -> HostCounters.Ports { counters.ports(machine) }
}
