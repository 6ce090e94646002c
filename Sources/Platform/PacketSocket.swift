internal import CLinux
internal import Glibc

/// A packet socket on an Ethernet device: takes packets as the device's driver handed them up, super-packets whole.
///
/// ```
///  virtio-net header 10 | Ethernet header 14 | IPv4 packet
/// ```
/// SOCK_RAW with PACKET_VNET_HDR, without outgoing packets, for IPv4 alone: so it is asked after tc, and sees
/// nothing of what a tc program carries by itself, while a socket for all EtherTypes comes before. What it
/// takes is a copy: the stack gets the packet as well, and has to be told to drop it.
///
/// The offsets of the virtio-net header count from the Ethernet header. VLAN tags are gone when a packet comes here
/// (see `PacketFilter`), so PACKET_AUXDATA has nothing to add. Linux below 6.2 cannot describe UDP super-packets: the
/// read that would bring one fails with EINVAL.
public struct PacketSocket: ~Copyable, Sendable {
  /// Bytes of the Ethernet header that lies before every packet.
  @inline(always) public static var linkHeaderByteCount: Int { 14 }

  /// To be watched in an epoll.
  public let descriptor: FileDescriptor
  /// The device's name when the socket was opened.
  public let interfaceName: String
  /// The device's index in its namespace.
  public let interfaceIndex: Int32

  /// Opens a socket on a device of the calling thread's namespace, non-blocking.
  ///
  /// The filter is in force before the first packet can come. `queuedByteCount` is what may wait in the
  /// kernel, its own bookkeeping included; without CAP_NET_ADMIN it is cut to `net/core/rmem_max`. A device
  /// that is down gives packets when it goes up; one that is removed gives none ever after.
  public static func open(
    on link: NetworkLink, filter: PacketFilter, queuedByteCount: Int = Limits.packetSocketBytes
  ) throws(PlatformError) -> PacketSocket {
    let label = "device \(link.name)"
    guard link.isEthernet else {
      throw PlatformError(
        "open a packet socket on", label, Errno(rawValue: EINVAL), reason: .unsupported,
        advice: "It has no Ethernet header, with which packet sockets are read here.")
    }
    let raw = clinux_packet_socket()
    guard raw >= 0 else { throw PlatformError("open a packet socket on", label, .current) }
    let descriptor = FileDescriptor(owning: raw)
    guard clinux_packet_configure(raw, CInt(clamping: queuedByteCount / 2)) == 0 else {
      throw PlatformError("ask for virtio-net headers on", label, .current)
    }
    let socket = PacketSocket(
      descriptor: descriptor, interfaceName: link.name, interfaceIndex: link.index)
    try socket.setFilter(filter)
    guard clinux_packet_bind(raw, link.index) == 0 else {
      throw PlatformError("open a packet socket on", label, .current)
    }
    return socket
  }

  /// Replaces the filter in one step: every packet is judged by the old one or by the new one.
  public borrowing func setFilter(_ filter: PacketFilter) throws(PlatformError) {
    let program = filter.instructions.map {
      sock_filter(code: $0.code, jt: $0.jumpIfTrue, jf: $0.jumpIfFalse, k: $0.constant)
    }
    let code = unsafe program.withUnsafeBufferPointer { steps in
      unsafe clinux_attach_filter(descriptor.raw, steps.baseAddress, UInt16(clamping: steps.count))
    }
    guard code == 0 else {
      throw PlatformError("set the filter of a packet socket on", "device \(interfaceName)", .current)
    }
  }

  /// Packets that the filter let in and that found no room, since the last call.
  public borrowing func takeDropCount() -> UInt64 {
    UInt64(max(0, clinux_packet_drops(descriptor.raw)))
  }
}
