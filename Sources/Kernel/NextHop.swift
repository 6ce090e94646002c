import CKernel
import Dataplane
import Wire

/// Where a packet to an address leaves this node, as the routing table and the neighbour table say.
///
/// Looking it up costs more than all the rest, so each CPU remembers what it was told (`KernelTables.hop`)
/// for 256 ticks of its clock: a quarter of a second to two and a half, by the kernel's HZ.
enum NextHop {
  /// What the kernel has answered.
  enum Finding: BitwiseCopyable { case resolved, unresolved, none }

  /// Sees to it that what is remembered is the way to an address; false when there is none, or when the
  /// neighbour's MAC address is needed and not known.
  @inline(__always) static func find(
    _ context: UnsafeRawPointer, _ hop: Memory<KernelNextHop>, _ address: IPv4Address, from source: UInt32,
    ingress: UInt32, needsNeighbour: Bool
  ) -> Bool {
    // Never 0, and odd when the neighbour is known.
    let epoch = UInt32(truncatingIfNeeded: jiffies() &>> 8) &<< 2 | 2
    let known = unsafe hop.place.pointee.epoch
    if unsafe hop.place.pointee.address == address.raw {
      if known == epoch | 1 { return true }
      if known == epoch && !needsNeighbour { return true }
    }
    var answer = KernelNextHop()
    switch unsafe ask(context, &answer, address, from: source, ingress: ingress) {
    case .resolved: answer.epoch = epoch | 1
    case .unresolved:
      guard !needsNeighbour else { return false }
      answer.epoch = epoch
    case .none: return false
    }
    hop.value = answer
    return true
  }

  /// Asks the kernel.
  @inline(__always) static func ask(
    _ context: UnsafeRawPointer, _ hop: inout KernelNextHop, _ address: IPv4Address, from source: UInt32,
    ingress: UInt32
  ) -> Finding {
    var question = fib_lookup()
    question.family = 2
    question.ifindex = ingress
    question.source = source
    question.destination = address.raw
    // Not of a size to be judged: that was done with the tunnel's MTU.
    question.total_length = 0
    let answer = unsafe fib_lookup(context, &question, 0)
    // 0: all is known. 7 (NO_NEIGH): the route is, the neighbour is still to be asked for.
    guard answer == 0 || answer == 7 else { return .none }
    hop.address = address.raw
    hop.ifindex = question.ifindex
    // The gateway, or the address itself; not one of IPv6.
    hop.neighbour = question.family == 2 ? question.destination : 0
    hop.destinationLow = UInt32(question.destination_mac_low) | question.destination_mac_high &<< 16
    hop.destinationHigh = UInt16(truncatingIfNeeded: question.destination_mac_high &>> 16)
    hop.sourceLow = UInt16(truncatingIfNeeded: question.source_mac_low)
    hop.sourceHigh = question.source_mac_low &>> 16 | UInt32(question.source_mac_high) &<< 16
    return answer == 0 ? .resolved : .unresolved
  }
}
