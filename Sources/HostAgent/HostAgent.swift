public import Dataplane
public import Wire

/// The last hop: takes a MUX's packets apart and hands them to a VM, and sends the VM's replies straight back.
///
/// ```
///  inbound    outer header, MUX, locator → inner header → ICMP error? → endpoint → flow → translate → deliver
///  outbound   header, DIP → for the prober? → ICMP error? → flow → translate → transmit
///  leased     in: no endpoint → range → flow; out: no flow of an endpoint → flow → port, or hold
/// ```
/// One value per worker thread, which alone owns it; a VM belongs to one worker, so that both directions of a
/// flow meet. Nothing here allocates or locks once a map is adopted. Times are milliseconds of a clock that
/// never goes back and may start anywhere and wrap; the worker reads it once per batch.
public struct HostAgent: ~Copyable {
  /// What this worker counts.
  public let counters: HostCounters
  let cells: CounterCells
  var directory = Directory()
  var table: FlowTable
  var ports: Ports
  var changes = FlowChangeRing()
  let seed: UInt64

  /// Where probes come from; a VM's packet to it is for the prober.
  public static var probeSource: IPv4Address { Parse.probeSource }

  /// Makes an agent that knows no VM yet.
  ///
  /// - Parameters:
  ///   - flowCapacity: records of the flow table, rounded up to a power of two; 16 bytes each;
  ///     262,144 when nil. As many connections by leased ports, of 64 bytes each, which are taken when they are used.
  ///   - seed: any number that strangers do not know, so that they cannot aim flows at one bucket.
  public init(flowCapacity: Int? = nil, seed: UInt64) {
    counters = HostCounters()
    cells = counters.cells
    table = FlowTable(capacity: min(flowCapacity ?? Limits.flows, Limits.mostFlows))
    ports = Ports(flowCapacity: min(flowCapacity ?? Limits.flows, Limits.mostPortFlows), seed: seed)
    self.seed = seed
  }

  /// Takes over a map: flows of VMs and endpoints that it no longer names are dead, all others live on.
  ///
  /// Allocates and takes about a millisecond; to be called between two batches.
  public mutating func adopt(_ map: HostMap) {
    if directory.isCrowded(for: map) { forgetDead() }
    endRanges(unnamedBy: map)
    for index in directory.adopt(map) {
      for field in 0..<5 { cells.clear(CounterCells.machine(Int(index)) + field) }
      for field in CounterCells.requests..<CounterCells.portCells {
        cells.clear(CounterCells.port(Int(index)) + field)
      }
    }
  }

  /// An encapsulated packet from the underlay: `.deliver` to a VM, 20 bytes shorter, or `.drop`.
  ///
  /// - Parameters:
  ///   - buffer: `Frame.headroom` bytes, then the packet, then at least as much as `Frame` guarantees.
  ///   - byteCount: of the packet; it may be longer than its header says, as short Ethernet frames are.
  ///   - offload: what the device left to do, counted from the outer header; on `.deliver` from the inner one.
  ///   - now: milliseconds.
  /// - Returns: what is to become of it.
  #if !DEBUG
  @_noLocks
  #endif
  public mutating func inbound(
    _ buffer: consuming MutableRawSpan, byteCount: Int, offload: inout Offload, now: UInt32
  ) -> Verdict {
    guard var frame = Frame(buffer, byteCount: byteCount) else { return dropped(.truncated) }
    let verdict = receive(&frame, offload: &offload, now: now)
    switch verdict {
    case .deliver(let machine, _, let byteCount):
      let cell = CounterCells.machine(Int(machine))
      cells.add(cell)
      cells.add(cell &+ 1, UInt64(truncatingIfNeeded: byteCount))
    case .drop(let reason): cells.add(CounterCells.drop(reason))
    case .pass, .transmit, .hold: break
    }
    return verdict
  }

  /// A packet that a VM sent: `.transmit` towards the router, `.hold` until it has a leased port, `.pass` for the
  /// host's own prober, or `.drop`.
  ///
  /// - Parameters:
  ///   - buffer: `Frame.headroom` bytes, then the packet, then at least as much as `Frame` guarantees.
  ///   - byteCount: of the packet.
  ///   - machine: the VM whose device it came from.
  ///   - offload: what the device left to do; stays as it is.
  ///   - now: milliseconds.
  /// - Returns: what is to become of it.
  #if !DEBUG
  @_noLocks
  #endif
  public mutating func outbound(
    _ buffer: consuming MutableRawSpan, byteCount: Int, from machine: UInt32, offload: inout Offload,
    now: UInt32
  ) -> Verdict {
    guard var frame = Frame(buffer, byteCount: byteCount) else { return dropped(.truncated) }
    let verdict = send(&frame, from: Int(machine & 0x3ff), offload: offload, now: now)
    _ = ports.queue.putDown()
    let cell = CounterCells.machine(Int(machine))
    switch verdict {
    case .transmit(_, let byteCount):
      cells.add(cell &+ 2)
      cells.add(cell &+ 3, UInt64(truncatingIfNeeded: byteCount))
    case .drop(let reason):
      cells.add(CounterCells.drop(reason))
      cells.add(cell &+ 4)
    case .pass: cells.add(CounterCells.probes)
    case .deliver, .hold: break
    }
    return verdict
  }

  /// Looks at the next `budget` records of the flow table and forgets those that were silent for too long.
  ///
  /// A worker calls it about once per batch with a few hundred: expired records do no harm, they are met by the
  /// packets that would need their place, but the counts of live flows come down only here.
  #if !DEBUG
  @_noLocks
  #endif
  public mutating func sweep(now: UInt32, budget: Int) {
    var left = min(budget, table.flows.count)
    while left > 0 {
      left &-= 1
      let at = table.cursor
      table.cursor = (at &+ 1) & table.flows.mask
      guard !table.flows[at].isEmpty else { continue }
      if table.flows[at].isLent { review(at, now: now) }
      guard isOver(table.flows[at], now: now) else { continue }
      forget(at)
      cells.add(CounterCells.expired)
    }
    sweepPorts(now: now, budget: budget)
  }

  @inline(always) private func dropped(_ reason: DropReason) -> Verdict {
    cells.add(CounterCells.drop(reason))
    return .drop(reason)
  }
}
