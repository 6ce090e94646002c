import CKernel
import Dataplane
import HostAgent
import Wire

/// Packets from MUXes, where they come in: those of known flows go straight into their VMs, all others up to
/// the agent.
@c(ananta_host_uplink) @section("tc/host_uplink")
func hostUplinkTC(_ skb: UnsafePointer<sk_buff>) -> Int32 {
  let up = TrafficAction.unspecified
  guard unsafe skb.pointee.protocol == UInt32(Ethernet.ipv4), unsafe skb.pointee.pkt_type == 0,
    unsafe skb.pointee.vlan_present == 0,
    // Ethernet, two IPv4 headers, TCP without its options.
    let arrived = unsafe SocketBuffer.pulled(skb, 74),
    arrived.holds(Ethernet.byteCount &+ IPv4Header.byteCount)
  else { return up }
  var frame = arrived.packet(skb, at: Ethernet.byteCount)
  let outer = IPv4Header(at: 0)
  guard outer.proto(frame) == .ipip, Parse.faultOfTunnel(frame) == nil else { return up }
  var mux = outer.source(frame)
  guard unsafe host_muxes_at(&mux) != nil else { return up }
  let start = IPIP.byteCount
  guard frame.holds(start &+ IPv4Header.byteCount &+ UDPHeader.byteCount) else { return up }
  let rest = unsafe offload(skb, isTCP: IPv4Header(at: start).proto(frame) == .tcp, at: start &+ 20)
  guard Parse.faultOfPassenger(frame, end: outer.totalLength(frame), rest) == nil,
    KnownPacket.isPlain(frame, at: start)
  else { return up }
  let inner = IPv4Header(at: start)
  let ports = TCPHeader(at: start &+ IPv4Header.byteCount)
  var key = InboundFlowKey(
    locator: outer.destination(frame), remote: inner.source(frame), remotePort: ports.sourcePort(frame),
    vip: inner.destination(frame), vipPort: ports.destinationPort(frame), proto: inner.proto(frame))
  guard let flow = unsafe Memory<InboundFlow>(host_inbound_at(&key)) else { return up }
  // To be done again by the agent, should the room not be had, this changes nothing more.
  guard Congestion.decapsulate(&frame, outer: 0, inner: start) else { return up }
  let byteCount = inner.totalLength(frame)
  guard unsafe skb_adjust_room(skb, -Int32(IPIP.byteCount), Room.behindEthernet, Room.whole) == 0 else {
    return up
  }
  let value = flow.value
  unsafe KnownPacket.note(&flow.place.pointee.lastSeen)
  guard
    unsafe KnownPacket.replace(
      .destination, of: skb, isUDP: key.proto == UInt32(IPProtocol.udp.rawValue), by: value.dip,
      value.backendPort)
  else { return TrafficAction.shot }
  if let count = KnownPacket.counts(of: value.machine) {
    unsafe count.place.pointee.packetsIn &+= 1
    unsafe count.place.pointee.bytesIn &+= UInt64(truncatingIfNeeded: byteCount)
  }
  return Int32(truncatingIfNeeded: redirect_peer(value.device))
}
