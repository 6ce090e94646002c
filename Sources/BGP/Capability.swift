/// A capability of an OPEN (RFC 5492 §4).
public enum Capability: Hashable, Sendable {
  /// Code 1: routes of a family can be exchanged (RFC 4760 §8).
  case multiprotocol(AddressFamily)
  /// Code 2: ROUTE-REFRESH is understood (RFC 2918 §2).
  case routeRefresh
  /// Code 64: the sender keeps its routes over a restart (RFC 4724 §3); read, never sent.
  case gracefulRestart(GracefulRestart)
  /// Code 65: AS numbers take four octets, and this is the sender's (RFC 6793 §3).
  case fourOctetAS(UInt32)
  /// Any other, kept as it came.
  case unknown(code: UInt8, value: [UInt8])

  /// The capability code of the IANA registry.
  public var code: UInt8 {
    switch self {
    case .multiprotocol: 1
    case .routeRefresh: 2
    case .gracefulRestart: 64
    case .fourOctetAS: 65
    case .unknown(let code, _): code
    }
  }

  /// Code, length, value.
  public var octets: [UInt8] {
    let value = self.value
    precondition(value.count <= 255, "capability too long")
    return [code, UInt8(value.count)] + value
  }

  private var value: [UInt8] {
    var writer = ByteWriter()
    switch self {
    case .multiprotocol(let family):
      writer.uint16(family.afi)
      writer.uint8(0)
      writer.uint8(family.safi)
    case .routeRefresh: break
    case .gracefulRestart(let restart): writer.octets(restart.octets)
    case .fourOctetAS(let number): writer.uint32(number)
    case .unknown(_, let value): writer.octets(value)
    }
    return writer.bytes
  }

  /// Reads a capability parameter; a known code with a wrong length is malformed, subcode Unspecific (RFC 4271 §6.2).
  static func list(_ octets: [UInt8]) throws(MessageError) -> [Capability] {
    var reader = ByteReader(octets)
    var found: [Capability] = []
    while reader.remaining > 0 {
      guard let code = reader.uint8(), let length = reader.uint8(), let value = reader.take(Int(length)) else {
        throw MessageError(.openMessage, 0, reason: "a capability is cut off")
      }
      guard let capability = Capability(code: code, value: value) else {
        throw MessageError(.openMessage, 0, reason: "capability \(code) of \(length) octets is malformed")
      }
      found.append(capability)
    }
    return found
  }

  private init?(code: UInt8, value: [UInt8]) {
    var reader = ByteReader(value)
    switch code {
    case 1:
      guard value.count == 4, let afi = reader.uint16(), reader.uint8() != nil, let safi = reader.uint8() else {
        return nil
      }
      self = .multiprotocol(AddressFamily(afi: afi, safi: safi))
    case 2:
      guard value.isEmpty else { return nil }
      self = .routeRefresh
    case 64:
      guard let restart = GracefulRestart(value) else { return nil }
      self = .gracefulRestart(restart)
    case 65:
      guard value.count == 4, let number = reader.uint32() else { return nil }
      self = .fourOctetAS(number)
    default:
      self = .unknown(code: code, value: value)
    }
  }
}
