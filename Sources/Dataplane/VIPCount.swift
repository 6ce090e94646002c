#if !$Embedded
public import Wire

/// What came to the SNAT ranges of a VIP.
public struct VIPCount: Hashable, Sendable {
  /// The virtual address.
  public let vip: IPv4Address
  /// Packets sent to who has leased their port; a super-packet is one.
  public let packets: UInt64
  /// Bytes of the inner packets.
  public let bytes: UInt64

  /// Joins the three.
  public init(vip: IPv4Address, packets: UInt64, bytes: UInt64) {
    self.vip = vip
    self.packets = packets
    self.bytes = bytes
  }
}

/// A VIP of a map, and the row that counts its SNAT packets; the row's target has no locator.
struct VIPRow: Sendable {
  let vip: IPv4Address
  let target: Target

  /// What counters call it: a VIP by itself has port 0 and protocol 0.
  var address: EndpointAddress { EndpointAddress(vip: vip, port: 0, proto: IPProtocol(0)) }
}
#endif
