public import Wire

/// Where a route was first heard (RFC 4271 §4.3 a).
public enum Origin: UInt8, Sendable {
  case igp = 0
  case egp = 1
  case incomplete = 2
}

/// A path attribute of an UPDATE (RFC 4271 §4.3).
///
///     +---------------+---------------+
///     |O T P E 0 0 0 0|   Type code   |   then the length, 1 octet or, with E, 2; then the value
///     +---------------+---------------+
public enum PathAttribute: Hashable, Sendable {
  /// Code 1.
  case origin(Origin)
  /// Code 2.
  case asPath(ASPath)
  /// Code 3.
  case nextHop(IPv4Address)
  /// Code 4.
  case multiExitDiscriminator(UInt32)
  /// Code 5.
  case localPreference(UInt32)
  /// Code 6.
  case atomicAggregate
  /// Code 7.
  case aggregator(autonomousSystem: UInt32, IPv4Address)
  /// Code 8 (RFC 1997).
  case communities([UInt32])
  /// Code 14 (RFC 4760 §3); prefixes of families other than IPv4 unicast stay octets.
  case multiprotocolReach(AddressFamily, nextHop: [UInt8], MultiprotocolRoutes)
  /// Code 15 (RFC 4760 §4).
  case multiprotocolUnreach(AddressFamily, MultiprotocolRoutes)
  /// Code 17 (RFC 6793 §3); merged into `asPath` when an UPDATE is read.
  case as4Path(ASPath)
  /// Code 18 (RFC 6793 §3); merged into `aggregator` when an UPDATE is read.
  case as4Aggregator(autonomousSystem: UInt32, IPv4Address)
  /// Any other, kept as it came.
  case unknown(flags: UInt8, code: UInt8, value: [UInt8])

  /// Routes inside a multiprotocol attribute.
  public enum MultiprotocolRoutes: Hashable, Sendable {
    case ipv4([IPv4Prefix])
    case opaque([UInt8])
  }

  /// The type code of the IANA registry.
  public var code: UInt8 {
    switch self {
    case .origin: 1
    case .asPath: 2
    case .nextHop: 3
    case .multiExitDiscriminator: 4
    case .localPreference: 5
    case .atomicAggregate: 6
    case .aggregator: 7
    case .communities: 8
    case .multiprotocolReach: 14
    case .multiprotocolUnreach: 15
    case .as4Path: 17
    case .as4Aggregator: 18
    case .unknown(_, let code, _): code
    }
  }

  /// The bits "optional" and "transitive" that belong to a known code.
  static func category(of code: UInt8) -> UInt8? {
    switch code {
    case 1, 2, 3, 5, 6: transitive
    case 4, 14, 15: optional
    case 7, 8, 17, 18: optional | transitive
    default: nil
    }
  }

  static let optional: UInt8 = 0x80
  static let transitive: UInt8 = 0x40
  static let extendedLength: UInt8 = 0x10

  /// Flags, code, length, value.
  func octets(fourOctetAS: Bool) -> [UInt8] {
    let value = self.value(fourOctetAS: fourOctetAS)
    var flags = Self.category(of: code) ?? 0
    if case .unknown(let kept, _, _) = self { flags = kept & ~Self.extendedLength }
    var writer = ByteWriter()
    if value.count > 255 {
      writer.uint8(flags | Self.extendedLength)
      writer.uint8(code)
      writer.uint16(UInt16(value.count))
    } else {
      writer.uint8(flags)
      writer.uint8(code)
      writer.uint8(UInt8(value.count))
    }
    writer.octets(value)
    return writer.bytes
  }

  private func value(fourOctetAS: Bool) -> [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .origin(let origin): writer.uint8(origin.rawValue)
    case .asPath(let path): writer.octets(path.octets(fourOctetAS: fourOctetAS))
    case .nextHop(let address): writer.address(address)
    case .multiExitDiscriminator(let metric): writer.uint32(metric)
    case .localPreference(let preference): writer.uint32(preference)
    case .atomicAggregate: break
    case .aggregator(let number, let address):
      if fourOctetAS {
        writer.uint32(number)
      } else {
        writer.uint16(UInt16(exactly: number) ?? OpenMessage.asTrans)
      }
      writer.address(address)
    case .communities(let values): for value in values { writer.uint32(value) }
    case .multiprotocolReach(let family, let nextHop, let routes):
      writer.uint16(family.afi)
      writer.uint8(family.safi)
      writer.uint8(UInt8(nextHop.count))
      writer.octets(nextHop)
      writer.uint8(0)
      routes.write(to: &writer)
    case .multiprotocolUnreach(let family, let routes):
      writer.uint16(family.afi)
      writer.uint8(family.safi)
      routes.write(to: &writer)
    case .as4Path(let path): writer.octets(path.octets(fourOctetAS: true))
    case .as4Aggregator(let number, let address):
      writer.uint32(number)
      writer.address(address)
    case .unknown(_, _, let value): writer.octets(value)
    }
    return writer.bytes
  }
}

extension PathAttribute.MultiprotocolRoutes {
  func write(to writer: inout ByteWriter) {
    switch self {
    case .ipv4(let prefixes): NLRI.write(prefixes, to: &writer)
    case .opaque(let octets): writer.octets(octets)
    }
  }
}
