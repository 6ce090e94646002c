import Dataplane
import Wire

/// An endpoint as such tables could have it.
struct ProbeEntry: EndpointEntry {
  let number: UInt32
  let idleTimeout: UInt32
  let slotCount: UInt32
  let fields: HashedFields
  let isMoving: Bool
}

/// Tables as a kernel's program could have them: enough to make the compiler emit the whole way of a packet.
struct ProbeTables: MuxTables {
  var target: Target
  var entry: ProbeEntry
  var now: UInt32 { 0 }
  var poolHash: PoolHash { PoolHash(seed: 1) }
  func endpoint(_ address: EndpointAddress) -> ProbeEntry? { address.port == 80 ? entry : nil }
  func isVIP(_ address: IPv4Address) -> Bool { address.raw == target.locator.raw }
  func snatRow(_ vip: IPv4Address) -> Target? { isVIP(vip) ? target : nil }
  func leaseholder(_ range: SNATRange) -> IPv4Address? { range.firstPort == 1_024 ? range.vip : nil }
  func current(_ entry: ProbeEntry, slot: Int) -> Target? { slot > 0 ? target : nil }
  func serves(_ entry: ProbeEntry, _ target: Target) -> Bool { self.target == target }
  mutating func movement(_ entry: ProbeEntry, slot: Int) -> SlotMovement? { slot > 1 ? .base(target) : nil }
  func hasRecords(_ entry: ProbeEntry) -> Bool { entry.number > 1 }
  mutating func recorded(_ connection: FiveTuple, _ entry: ProbeEntry, opening: Bool) -> Target? {
    opening ? target : nil
  }
  mutating func record(_ connection: FiveTuple, _ target: Target, _ entry: ProbeEntry, opening: Bool) {
    self.target = target
  }
  mutating func forget(_ connection: FiveTuple) {}
  mutating func expireSoon(_ connection: FiveTuple, isReset: Bool) {}
  mutating func count(_ target: Target, byteCount: Int, opens: Bool) { self.target = target }
}

/// Walks one packet; the bytes it needs from the caller are all in memory that the caller owns.
@c(ananta_probe)
public func probe(_ memory: UnsafeMutableRawPointer, _ byteCount: Int, _ tables: UnsafeMutableRawPointer)
  -> Int32
{
  let buffer = unsafe MutableRawSpan(_unsafeStart: memory, byteCount: Frame.headroom &+ 2048)
  guard var frame = Frame(buffer, byteCount: byteCount) else { return -1 }
  var offload = Offload()
  var errors = ErrorBudget()
  let settings = MuxSettings(address: .any, mtu: 1500)
  let state = unsafe tables.assumingMemoryBound(to: ProbeTables.self)
  switch unsafe Path.walk(&frame, &offload, &state.pointee, &errors, settings) {
  case .drop(let reason): return Int32(reason.rawValue)
  case .pass: return 100
  case .encapsulated(let byteCount), .echoReply(let byteCount), .fragmentationNeeded(let byteCount):
    return 1000 &+ Int32(truncatingIfNeeded: byteCount)
  }
}
