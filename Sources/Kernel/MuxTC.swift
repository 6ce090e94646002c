import CKernel
import Dataplane
import Mux
import Wire

/// The MUX behind a device's driver, where a super-packet is still one packet.
@c(ananta_mux_tc) @section("tc/mux")
func muxTC(_ skb: UnsafePointer<sk_buff>) -> Int32 {
  // Of the frames that a device in promiscuous mode shows, only those that are for this node, and none of a
  // VLAN, which comes again on the VLAN's own device.
  guard unsafe skb.pointee.protocol == UInt32(Ethernet.ipv4), unsafe skb.pointee.pkt_type == 0,
    unsafe skb.pointee.vlan_present == 0
  else { return TrafficAction.unspecified }
  var zero: UInt32 = 0
  guard let own = unsafe settings_at(&zero)?.assumingMemoryBound(to: KernelSettings.self),
    // Ethernet, IPv4, ICMP, and what an ICMP error quotes; no TCP header is longer without its options.
    let arrived = unsafe SocketBuffer.pulled(skb, 70),
    arrived.holds(Ethernet.byteCount &+ IPv4Header.byteCount)
  else { return TrafficAction.unspecified }
  let frame = arrived.packet(skb, at: Ethernet.byteCount)
  var tables = unsafe KernelTables(seed: own.pointee.seed)
  let address = unsafe IPv4Address(raw: own.pointee.address)
  let settings = unsafe MuxSettings(address: address, mtu: Int(own.pointee.mtu))
  switch unsafe Path.decide(
    frame, offload(skb, isTCP: IPv4Header(at: 0).proto(frame) == .tcp, at: 20), &tables, settings)
  {
  case .pass, .unreadable: return TrafficAction.unspecified
  case .drop(let reason):
    KernelTables.count(total: Int(reason.rawValue))
    return TrafficAction.shot
  case .tooBig:
    KernelTables.count(total: KernelLayout.tooBigTotal)
    return TrafficAction.unspecified
  // Rare, and as fast as need be in user space.
  case .answerEcho: return TrafficAction.unspecified
  case .encapsulate(let packet, let target, let isLeased):
    guard packet.network.timeToLive > 1 else { return TrafficAction.unspecified }
    guard let row = KernelTables.row(target),
      let hop = KernelTables.hop(row, target, isLeased: isLeased),
      unsafe NextHop.find(
        skb, hop, target.locator, from: own.pointee.address, ingress: skb.pointee.ifindex,
        needsNeighbour: false)
    else {
      KernelTables.count(total: KernelLayout.unresolvedTotal)
      return TrafficAction.unspecified
    }
    guard unsafe skb_adjust_room(skb, Int32(IPIP.byteCount), Room.behindEthernet, Room.tunnel) == 0 else {
      return TrafficAction.unspecified
    }
    let grown = unsafe SocketBuffer(skb)
    guard grown.holds(Ethernet.byteCount &+ IPIP.byteCount &+ IPv4Header.byteCount) else {
      return TrafficAction.shot
    }
    KernelTables.count(row, target, byteCount: packet.network.totalLength, opens: packet.opens)
    var inner = grown.packet(skb, at: Ethernet.byteCount &+ IPIP.byteCount)
    IPv4Header(at: 0).spendHop(&inner)
    var rest = Offload()
    Emit.encapsulated(&inner, &rest, packet, from: address, to: target.locator)
    return Int32(truncatingIfNeeded: redirect_neighbour(hop.value.ifindex, hop.value.neighbour))
  }
}

/// What the sender's stack left to devices; the kernel keeps its checksum right by itself.
@inline(__always) func offload(_ skb: UnsafePointer<sk_buff>, isTCP: Bool, at transport: Int) -> Offload {
  var offload = Offload()
  let size = unsafe skb.pointee.gso_size
  guard size != 0 else { return offload }
  offload.flags = Offload.needsChecksum
  offload.checksumStart = UInt16(truncatingIfNeeded: transport)
  offload.checksumOffset = UInt16(isTCP ? TCPHeader.checksumOffset : UDPHeader.checksumOffset)
  offload.gsoSize = UInt16(truncatingIfNeeded: size)
  offload.gsoType = isTCP ? Offload.gsoTCPv4 : Offload.gsoUDP
  return offload
}
