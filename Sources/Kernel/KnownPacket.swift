import CKernel
import Dataplane
import HostAgent
import Wire

/// What the host's two programs do with a packet of a known flow.
enum KnownPacket {
  /// Whether it is a datagram, or a segment that neither opens nor ends a connection: the agent wants to see those.
  @inline(__always) static func isPlain(_ frame: borrowing Frame, at start: Int) -> Bool {
    let proto = IPv4Header(at: start).proto(frame)
    if proto == .udp { return true }
    let transport = start &+ IPv4Header.byteCount
    guard proto == .tcp, frame.holds(transport &+ TCPHeader.byteCount) else { return false }
    return TCPHeader(at: transport).flags(frame).rawValue & 0x07 == 0
  }

  /// Writes the time, unless the same millisecond is there: CPUs share the line.
  @inline(__always) static func note(_ lastSeen: inout UInt32) {
    let now = UInt32(truncatingIfNeeded: ktime_nanoseconds() / 1_000_000)
    if lastSeen != now { lastSeen = now }
  }

  /// Counters of a VM on this CPU.
  @inline(__always) static func counts(of machine: UInt32) -> Memory<MachineCount>? {
    var index = machine
    return unsafe Memory<MachineCount>(host_machines_at(&index))
  }

  /// Replaces address and port of one end of the packet behind the Ethernet header; false: it is gone.
  ///
  /// Whether its transport checksum is finished or only begun just the kernel knows, so the kernel amends it.
  @inline(__always) static func replace(
    _ end: End, of skb: UnsafePointer<sk_buff>, isUDP: Bool, by address: IPv4Address, _ port: UInt16
  ) -> Bool {
    let buffer = unsafe SocketBuffer(skb)
    guard buffer.holds(Ethernet.byteCount &+ IPv4Header.byteCount &+ UDPHeader.byteCount) else {
      return false
    }
    var frame = unsafe buffer.packet(skb, at: Ethernet.byteCount)
    let portAt = IPv4Header.byteCount &+ end.portOffset
    let oldAddress = frame.load(end.addressOffset, as: UInt32.self)
    let oldPort = frame.load(portAt, as: UInt16.self)
    let newPort = port.bigEndian
    Translation.replace(end, of: &frame, header: 0, by: address)
    frame.store(newPort, at: portAt)
    let field = UInt32(
      Ethernet.byteCount &+ IPv4Header.byteCount
        &+ (isUDP ? UDPHeader.checksumOffset : TCPHeader.checksumOffset))
    // BPF_F_MARK_MANGLED_0: a datagram's 0 stays 0, and no other checksum becomes 0. BPF_F_PSEUDO_HDR: 16.
    let kind: UInt64 = isUDP ? 32 : 0
    guard unsafe skb_amend_checksum(skb, field, UInt64(oldAddress), UInt64(address.raw), 16 | 4 | kind) == 0
    else { return false }
    return unsafe skb_amend_checksum(skb, field, UInt64(oldPort), UInt64(newPort), 2 | kind) == 0
  }
}
