public import Dataplane
import Synchronization

/// What one worker counts; the worker writes, anybody may read at any time.
///
/// Each number is right by itself; two numbers read one after the other need not be of the same moment.
/// A super-packet counts as one packet.
public final class HostCounters: Sendable {
  /// What is counted of a VM; the fields of one VM fill one cache line.
  public struct Machine: Hashable, Sendable {
    /// Delivered to the VM.
    public var packetsIn: UInt64
    /// Of them, from the IPv4 header on.
    public var bytesIn: UInt64
    /// Sent on for the VM.
    public var packetsOut: UInt64
    /// Of them, from the IPv4 header on.
    public var bytesOut: UInt64
    /// From the VM, and dropped.
    public var droppedOut: UInt64
    /// Flow records that exist now, the silent ones among them that no sweep has met yet.
    public var flows: UInt64
  }

  /// What is counted of the flow table.
  public struct Flows: Hashable, Sendable {
    /// Records that exist now.
    public var live: UInt64
    /// Records made.
    public var created: UInt64
    /// Of them, by a packet that was not the first of its connection: after a restart or a change of host.
    public var resumed: UInt64
    /// Records that ended by silence, or because their endpoint was gone.
    public var expired: UInt64
    /// Half-open or closed records that gave way to new ones.
    public var evicted: UInt64
  }

  /// What is known of a VM's leased ports.
  public struct Ports: Hashable, Sendable {
    /// Ranges that it has, those that were recalled or given back among them until they are withdrawn.
    public var ranges: UInt64
    /// Ports with at least one flow.
    public var portsInUse: UInt64
    /// Flows that exist now, the silent ones among them that no sweep has met yet.
    public var flows: UInt64
    /// Packets that wait for a port.
    public var held: UInt64
    /// Requests made; one that is repeated counts once.
    public var requests: UInt64
    /// Of them, refused.
    public var refused: UInt64
    /// Packets dropped for want of a port.
    public var dropped: UInt64
    /// From a request to its answer, the median in microseconds; 0 before the first, 2,048,000 for 1.8 s and
    /// more.
    public var waitMicrosecondsP50: UInt64
    /// What 99 of 100 answers took less than; 2,048,000 for 1.8 s and more.
    public var waitMicrosecondsP99: UInt64
  }

  let cells = CounterCells()

  /// Starts at zero.
  public init() {}

  deinit { cells.free() }

  /// Packets dropped for a reason, in both directions.
  public func dropped(_ reason: DropReason) -> UInt64 { cells.value(CounterCells.drop(reason)) }

  /// Of the flow table.
  public var flows: Flows {
    Flows(
      live: cells.value(CounterCells.live), created: cells.value(CounterCells.created),
      resumed: cells.value(CounterCells.resumed), expired: cells.value(CounterCells.expired),
      evicted: cells.value(CounterCells.evicted))
  }

  /// Answers to probes that were handed on.
  public var probeAnswers: UInt64 { cells.value(CounterCells.probes) }

  /// Of the VM with an index below `HostMap.machineLimit`.
  public func machine(_ index: UInt32) -> Machine {
    let first = CounterCells.machine(Int(index))
    return Machine(
      packetsIn: cells.value(first), bytesIn: cells.value(first + 1), packetsOut: cells.value(first + 2),
      bytesOut: cells.value(first + 3), droppedOut: cells.value(first + 4), flows: cells.value(first + 5))
  }

  /// Of the leased ports of the VM with an index below `HostMap.machineLimit`.
  public func ports(_ index: UInt32) -> Ports {
    let first = CounterCells.port(Int(index))
    let waits = (0..<WaitHistogram.buckets).map { cells.value(first + CounterCells.waits + $0) }
    return Ports(
      ranges: cells.value(first), portsInUse: cells.value(first + 1), flows: cells.value(first + 2),
      held: cells.value(first + 3), requests: cells.value(first + 4), refused: cells.value(first + 5),
      dropped: cells.value(first + 6), waitMicrosecondsP50: WaitHistogram.quantile(waits, perMille: 500),
      waitMicrosecondsP99: WaitHistogram.quantile(waits, perMille: 990))
  }
}

/// Numbers in a row, written by one thread and read by others.
///
/// A single writer needs no locked instruction: it loads, adds and stores, each relaxed.
@safe struct CounterCells: @unchecked Sendable {
  @inline(always) static var live: Int { 64 }
  @inline(always) static var created: Int { 65 }
  @inline(always) static var resumed: Int { 66 }
  @inline(always) static var expired: Int { 67 }
  @inline(always) static var evicted: Int { 68 }
  @inline(always) static var probes: Int { 69 }
  @inline(always) static func drop(_ reason: DropReason) -> Int { Int(reason.rawValue & 63) }
  @inline(always) static func machine(_ index: Int) -> Int { 128 &+ (index & 1023) &* 8 }
  /// What is counted of a VM's ports begins here.
  @inline(always) static func port(_ index: Int) -> Int {
    128 &+ Limits.machines &* 8 &+ (index & 1023) &* portCells
  }
  @inline(always) static var portCells: Int { 48 }
  @inline(always) static var ranges: Int { 0 }
  @inline(always) static var portsInUse: Int { 1 }
  @inline(always) static var portFlows: Int { 2 }
  @inline(always) static var held: Int { 3 }
  @inline(always) static var requests: Int { 4 }
  @inline(always) static var refused: Int { 5 }
  @inline(always) static var portDrops: Int { 6 }
  /// The first of `WaitHistogram.buckets`.
  @inline(always) static var waits: Int { 8 }
  static var count: Int { 128 + Limits.machines * (8 + portCells) }

  private let base: UnsafeMutablePointer<Atomic<UInt64>>

  init() {
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: Self.count * MemoryLayout<Atomic<UInt64>>.stride, alignment: 64)
    unsafe base = bytes.bindMemory(to: Atomic<UInt64>.self, capacity: Self.count)
    for index in 0..<Self.count { unsafe (base + index).initialize(to: Atomic(0)) }
  }

  func free() { unsafe base.deallocate() }

  @inline(always) func value(_ index: Int) -> UInt64 { unsafe base[index].load(ordering: .relaxed) }

  @inline(always) func add(_ index: Int, _ amount: UInt64 = 1) {
    unsafe base[index].store(base[index].load(ordering: .relaxed) &+ amount, ordering: .relaxed)
  }

  @inline(always) func subtract(_ index: Int) { add(index, .max) }

  func clear(_ index: Int) { unsafe base[index].store(0, ordering: .relaxed) }
}
