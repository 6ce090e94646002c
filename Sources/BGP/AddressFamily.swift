/// An address family and its subsequent identifier (RFC 4760 §3).
public struct AddressFamily: Hashable, Sendable {
  /// 1 is IPv4, 2 is IPv6.
  public var afi: UInt16
  /// 1 is unicast.
  public var safi: UInt8

  /// Joins the two identifiers.
  public init(afi: UInt16, safi: UInt8) {
    self.afi = afi
    self.safi = safi
  }

  /// The one family this speaker announces.
  public static let ipv4Unicast = AddressFamily(afi: 1, safi: 1)
}
