internal import Platform

/// Where packets of a device are read and written.
enum PacketPort: BitwiseCopyable {
  /// Nowhere: every read and write fails.
  case none
  /// A TUN device: packets as they are.
  case tun(TUNQueue.Handle)
  /// A packet socket on the node's end of a VM's veth pair: packets behind an Ethernet header.
  case pair(PacketSocket.Handle)
}
