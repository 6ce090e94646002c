import CKernel
import Dataplane
import Mux
import Wire

/// The device that a frame came in by, if the frame is addressed to it: not what a switch floods, or what is
/// meant for others that a device in promiscuous mode serves.
@inline(__always) private func recipient(_ frame: XDPFrame, _ device: UInt32) -> Memory<KernelDevice>? {
  var place = device & UInt32(KernelLayout.devices &- 1)
  guard let known = unsafe Memory<KernelDevice>(devices_at(&place)) else { return nil }
  let (own, destination) = unsafe (known.place, frame.data)
  guard unsafe own.pointee.ifindex == device,
    unsafe own.pointee.addressLow == destination.load(as: UInt32.self),
    unsafe own.pointee.addressHigh == destination.load(fromByteOffset: 4, as: UInt16.self)
  else { return nil }
  return known
}

/// Sends a frame back by the device it came in by.
@inline(__always) private func sendBack(_ device: Memory<KernelDevice>) -> Int32 {
  guard unsafe device.place.pointee.redirects != 0 else { return XDPAction.transmit }
  return unsafe Int32(truncatingIfNeeded: redirect(device.place.pointee.ifindex, 0))
}

/// The MUX at a device's driver.
@c(ananta_mux_xdp) @section("xdp/mux")
func muxXDP(_ context: UnsafePointer<xdp_md>) -> Int32 {
  let arrived = unsafe XDPFrame(context)
  var zero: UInt32 = 0
  guard arrived.holds(Ethernet.byteCount &+ IPv4Header.byteCount),
    unsafe arrived.data.load(fromByteOffset: 12, as: UInt16.self) == Ethernet.ipv4,
    let device = unsafe recipient(arrived, context.pointee.ingress_ifindex),
    let own = unsafe settings_at(&zero)?.assumingMemoryBound(to: KernelSettings.self)
  else { return XDPAction.pass }
  var frame = arrived.packet(at: Ethernet.byteCount)
  var tables = unsafe KernelTables(seed: own.pointee.seed)
  let address = unsafe IPv4Address(raw: own.pointee.address)
  let settings = unsafe MuxSettings(address: address, mtu: Int(own.pointee.mtu))
  switch Path.decide(frame, Offload(), &tables, settings) {
  case .pass, .unreadable: return XDPAction.pass
  case .drop(let reason):
    KernelTables.count(total: Int(reason.rawValue))
    return XDPAction.drop
  case .tooBig:
    KernelTables.count(total: KernelLayout.tooBigTotal)
    return XDPAction.pass
  case .answerEcho(let packet):
    guard packet.network.timeToLive > 1 else { return XDPAction.pass }
    var hop = KernelNextHop()
    guard
      unsafe NextHop.ask(
        context, &hop, packet.network.source, from: packet.network.destination.raw,
        ingress: context.pointee.ingress_ifindex) == .resolved,
      unsafe hop.ifindex == context.pointee.ingress_ifindex
    else { return XDPAction.pass }
    Emit.echoReply(&frame, packet)
    KernelTables.count(total: KernelLayout.echoTotal)
    arrived.storeEthernet(hop)
    return sendBack(device)
  case .encapsulate(let packet, let target, let isLeased):
    guard packet.network.timeToLive > 1 else { return XDPAction.pass }
    guard let row = KernelTables.row(target),
      let hop = KernelTables.hop(row, target, isLeased: isLeased),
      unsafe NextHop.find(
        context, hop, target.locator, from: own.pointee.address, ingress: context.pointee.ingress_ifindex,
        needsNeighbour: true)
    else {
      KernelTables.count(total: KernelLayout.unresolvedTotal)
      return XDPAction.pass
    }
    // Another device may not take what XDP sends, and would not say so.
    guard unsafe hop.value.ifindex == context.pointee.ingress_ifindex else { return XDPAction.pass }
    guard unsafe xdp_adjust_head(context, -Int32(IPIP.byteCount)) == 0 else { return XDPAction.pass }
    let grown = unsafe XDPFrame(context)
    guard grown.holds(Ethernet.byteCount &+ IPIP.byteCount &+ IPv4Header.byteCount) else {
      return XDPAction.drop
    }
    KernelTables.count(row, target, byteCount: packet.network.totalLength, opens: packet.opens)
    var inner = grown.packet(at: Ethernet.byteCount &+ IPIP.byteCount)
    var offload = Offload()
    IPv4Header(at: 0).spendHop(&inner)
    Emit.encapsulated(&inner, &offload, packet, from: address, to: target.locator)
    grown.storeEthernet(hop.value)
    return sendBack(device)
  }
}
