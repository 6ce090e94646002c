/// A ROUTE-REFRESH: the peer wants to hear all routes of a family again (RFC 2918 §3).
///
///     +-------------------------------+---------------+---------------+
///     |              AFI              |    Subtype    |     SAFI      |
///     +-------------------------------+---------------+---------------+
public struct RouteRefreshMessage: Hashable, Sendable {
  /// The family whose routes are wanted.
  public var family: AddressFamily
  /// 0 for a request; RFC 7313 gives 1 and 2 to peers that negotiated them, which this speaker never does.
  public var subtype: UInt8

  /// Asks for the routes of a family.
  public init(family: AddressFamily, subtype: UInt8 = 0) {
    self.family = family
    self.subtype = subtype
  }

  init(body: [UInt8]) throws(MessageError) {
    var reader = ByteReader(body)
    guard let afi = reader.uint16(), let subtype = reader.uint8(), let safi = reader.uint8(),
      reader.remaining == 0
    else {
      let length = UInt16(truncatingIfNeeded: Limits.headerLength + body.count)
      throw MessageError(
        .messageHeader, 2, [UInt8(length >> 8), UInt8(length & 0xff)], reason: "a ROUTE-REFRESH of \(length)")
    }
    family = AddressFamily(afi: afi, safi: safi)
    self.subtype = subtype
  }

  var body: [UInt8] { [UInt8(family.afi >> 8), UInt8(family.afi & 0xff), subtype, family.safi] }
}
