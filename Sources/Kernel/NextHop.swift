import CKernel
import Dataplane
import Wire

/// Where a packet to an address leaves this node: device and MAC addresses, as the routing table and the neighbour
/// table say.
///
/// Looking it up costs more than all the rest, so each CPU remembers what it was told for 256 ticks of its clock:
/// a quarter of a second to two and a half, by the kernel's HZ.
struct NextHop: BitwiseCopyable {
  /// What it is remembered by.
  var address: UInt32
  /// When it was asked for, in units of 256 ticks.
  var epoch: UInt32
  var ifindex: UInt32
  /// The MAC addresses, as they lie in a frame: destination, source.
  var destinationLow: UInt32
  var destinationHigh: UInt16
  var sourceLow: UInt16
  var sourceHigh: UInt32

  /// Whether the neighbour's MAC address is known.
  enum Finding: BitwiseCopyable { case resolved, unresolved, none }

  @inline(__always) static func place(_ address: IPv4Address) -> UnsafeMutablePointer<NextHop>? {
    let mixed = address.number &* 0x9e37_79b1
    var index = mixed &>> 22
    return unsafe next_hops_at(&index)?.assumingMemoryBound(to: NextHop.self)
  }

  /// Asks the cache, then the kernel; the answer lies in the cache's place.
  @inline(__always) static func find(
    _ context: UnsafeRawPointer, _ address: IPv4Address, from source: UInt32, ingress: UInt32,
    needsNeighbour: Bool
  ) -> UnsafeMutablePointer<NextHop>? {
    guard let place = unsafe place(address) else { return nil }
    let epoch = UInt32(truncatingIfNeeded: jiffies() &>> 8) | 1 << 31
    if unsafe place.pointee.address == address.raw && place.pointee.epoch == epoch { return unsafe place }
    var question = fib_lookup()
    question.family = 2
    question.ifindex = ingress
    question.source = source
    question.destination = address.raw
    // Not of a size to be judged: that was done with the tunnel's MTU.
    question.total_length = 0
    let answer = unsafe fib_lookup(context, &question, 0)
    // 0: all is known. 7 (NO_NEIGH): the route is, the neighbour is still to be asked for.
    guard answer == 0 || (answer == 7 && !needsNeighbour) else { return nil }
    unsafe place.pointee = NextHop(
      address: address.raw, epoch: epoch, ifindex: question.ifindex,
      destinationLow: UInt32(question.destination_mac_low) | question.destination_mac_high &<< 16,
      destinationHigh: UInt16(truncatingIfNeeded: question.destination_mac_high &>> 16),
      sourceLow: UInt16(truncatingIfNeeded: question.source_mac_low),
      sourceHigh: question.source_mac_low &>> 16 | UInt32(question.source_mac_high) &<< 16)
    return unsafe place
  }
}
