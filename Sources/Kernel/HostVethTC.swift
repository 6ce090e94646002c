import CKernel
import Dataplane
import HostAgent
import Wire

/// Packets of a VM, where they come out of its device: those of known flows go straight to the underlay, all
/// others up to the agent, and none of them into this node's own stack.
@c(ananta_host_veth) @section("tc/host_veth")
func hostVethTC(_ skb: UnsafePointer<sk_buff>) -> Int32 {
  guard unsafe skb.pointee.protocol == UInt32(Ethernet.ipv4) else { return TrafficAction.shot }
  let verdict = unsafe carry(skb)
  guard verdict == TrafficAction.accept else { return verdict }
  // The agent's socket reads what is for others, and the stack does not.
  return unsafe skb_change_type(skb, PacketType.otherHost) == 0 ? TrafficAction.accept : TrafficAction.shot
}

/// PACKET_OTHERHOST.
enum PacketType {
  @inline(__always) static var otherHost: UInt32 { 3 }
}

/// Sends a packet of a known flow out; `accept` when it is for the agent.
@inline(__always) private func carry(_ skb: UnsafePointer<sk_buff>) -> Int32 {
  let up = TrafficAction.accept
  guard
    // Ethernet, IPv4, TCP without its options.
    let arrived = unsafe SocketBuffer.pulled(skb, 54),
    arrived.holds(Ethernet.byteCount &+ IPv4Header.byteCount &+ UDPHeader.byteCount)
  else { return up }
  var frame = arrived.packet(skb, at: Ethernet.byteCount)
  let header = IPv4Header(at: 0)
  guard Parse.faultOfHeader(frame, at: 0, end: frame.byteCount) == nil, header.timeToLive(frame) > 1 else {
    return up
  }
  let rest = unsafe offload(skb, isTCP: header.proto(frame) == .tcp, at: IPv4Header.byteCount)
  guard Parse.faultOfReply(frame, rest) == nil, KnownPacket.isPlain(frame, at: 0) else { return up }
  let ports = TCPHeader(at: IPv4Header.byteCount)
  let remote = header.destination(frame)
  var key = unsafe OutboundFlowKey(
    device: skb.pointee.ifindex, remote: remote, remotePort: ports.destinationPort(frame),
    backendPort: ports.sourcePort(frame), proto: header.proto(frame))
  guard let flow = unsafe Memory<OutboundFlow>(host_outbound_at(&key)) else { return up }
  let value = flow.value
  guard header.source(frame) == value.dip else { return up }
  let exit = unsafe exit(skb, flow, to: remote)
  guard exit.device != 0 else { return up }
  let byteCount = header.totalLength(frame)
  header.spendHop(&frame)
  unsafe KnownPacket.note(&flow.place.pointee.lastSeen)
  guard
    unsafe KnownPacket.replace(
      .source, of: skb, isUDP: key.proto == UInt32(IPProtocol.udp.rawValue), by: value.vip, value.vipPort)
  else { return TrafficAction.shot }
  if let count = KnownPacket.counts(of: value.machine) {
    unsafe count.place.pointee.packetsOut &+= 1
    unsafe count.place.pointee.bytesOut &+= UInt64(truncatingIfNeeded: byteCount)
  }
  return Int32(truncatingIfNeeded: redirect_neighbour(exit.device, exit.neighbour))
}

/// The neighbour to whom a flow's packets leave and the device before it, or a device of 0; remembered in the
/// flow for 256 ticks of the kernel's clock.
@inline(__always) private func exit(
  _ skb: UnsafePointer<sk_buff>, _ flow: Memory<OutboundFlow>, to remote: IPv4Address
) -> FlowExit {
  let time = jiffies() &>> 8
  // All in one piece, since CPUs share the flow.
  let known = unsafe FlowExit(raw: flow.place.pointee.exit)
  if known.isFresh(at: time) { return known }
  var hop = KernelNextHop()
  let source = unsafe flow.place.pointee.vip.raw
  switch unsafe NextHop.ask(skb, &hop, remote, from: source, ingress: HostKernelLayout.ingress) {
  case .resolved, .unresolved: break
  case .none: return FlowExit(raw: 0)
  }
  // What does not fit is left to the agent.
  let exit = FlowExit(device: hop.ifindex, neighbour: hop.neighbour, time: time) ?? FlowExit(raw: 0)
  unsafe flow.place.pointee.exit = exit.raw
  return exit
}
