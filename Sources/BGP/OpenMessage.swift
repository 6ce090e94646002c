public import Wire

/// An OPEN: who the sender is and what it can do (RFC 4271 §4.2).
///
///     +---------------+---------------+---------------+
///     |    Version    |           My AS (2)           |
///     +---------------+---------------+---------------+---------------+
///     |         Hold time (2)         |    BGP identifier (4) ...
///     +-------------------------------+---------------+---------------+
///     |  Opt. length  |  Optional parameters (variable) ...
///     +---------------+----------------------------------------------- -
public struct OpenMessage: Hashable, Sendable {
  /// Stands in the two-octet field for a number that does not fit (RFC 6793 §9).
  public static let asTrans: UInt16 = 23456

  /// The sender's AS: from the four-octet capability, or else from the two-octet field.
  public var autonomousSystem: UInt32
  /// The proposed hold time; 0 is none, 1 and 2 are refused.
  public var holdTimeSeconds: UInt16
  /// The sender's router id.
  public var identifier: IPv4Address
  /// In the order of the message.
  public var capabilities: [Capability]

  /// Describes a sender.
  public init(
    autonomousSystem: UInt32, holdTimeSeconds: UInt16, identifier: IPv4Address, capabilities: [Capability]
  ) {
    self.autonomousSystem = autonomousSystem
    self.holdTimeSeconds = holdTimeSeconds
    self.identifier = identifier
    self.capabilities = capabilities
  }

  /// Whether the sender uses four octets per AS number.
  public var hasFourOctetAS: Bool { fourOctetAS != nil }

  private var fourOctetAS: UInt32? {
    for case .fourOctetAS(let number) in capabilities { return number }
    return nil
  }

  /// Whether routes of the family can be sent to this peer (RFC 4760 §8).
  ///
  /// A peer that names no family at all is one from before RFC 4760, and takes IPv4 unicast.
  public func accepts(_ family: AddressFamily) -> Bool {
    var namesAny = false
    for case .multiprotocol(let named) in capabilities {
      if named == family { return true }
      namesAny = true
    }
    return !namesAny && family == .ipv4Unicast
  }

  // MARK: Reading

  init(body: [UInt8]) throws(MessageError) {
    var reader = ByteReader(body)
    guard let version = reader.uint8(), let shortAS = reader.uint16(), let holdTime = reader.uint16(),
      let identifier = reader.address(), let parametersLength = reader.uint8()
    else { throw MessageError(.openMessage, 0, reason: "the OPEN is cut off") }
    guard version == 4 else {
      throw MessageError(.openMessage, 1, [0, 4], reason: "BGP version \(version)")
    }
    capabilities = try Self.parameters(reader.rest(), length: parametersLength)
    autonomousSystem = UInt32(shortAS)
    holdTimeSeconds = holdTime
    self.identifier = identifier
    if let number = fourOctetAS { autonomousSystem = number }
    try check()
  }

  /// The checks of RFC 4271 §6.2 that need no configuration.
  private func check() throws(MessageError) {
    guard autonomousSystem != 0 else {
      throw MessageError(.openMessage, 2, reason: "AS 0 (RFC 7607)")
    }
    guard holdTimeSeconds == 0 || holdTimeSeconds >= Limits.minimumHoldTimeSeconds else {
      throw MessageError(.openMessage, 6, reason: "a hold time of \(holdTimeSeconds) s")
    }
    guard identifier != .any else {
      throw MessageError(.openMessage, 3, reason: "the BGP identifier 0.0.0.0 (RFC 6286 §2.1)")
    }
  }

  /// Reads both forms of the optional parameters: RFC 4271 §4.2 and RFC 9072 §2.
  private static func parameters(_ octets: [UInt8], length: UInt8) throws(MessageError) -> [Capability] {
    var reader = ByteReader(octets)
    var found: [Capability] = []
    // RFC 9072: the type 255 decides, the length in front of it is not looked at unless it is 0.
    let isExtended = length != 0 && octets.first == 255
    if isExtended {
      guard reader.uint8() != nil, let total = reader.uint16(), Int(total) == reader.remaining else {
        throw MessageError(.openMessage, 0, reason: "the extended optional parameters length is wrong")
      }
    } else {
      guard Int(length) == reader.remaining else {
        throw MessageError(.openMessage, 0, reason: "the optional parameters length is wrong")
      }
    }
    while reader.remaining > 0 {
      guard let type = reader.uint8(),
        let length = isExtended ? reader.uint16() : reader.uint8().map(UInt16.init),
        let value = reader.take(Int(length))
      else { throw MessageError(.openMessage, 0, reason: "an optional parameter is cut off") }
      guard type == 2 else {
        throw MessageError(.openMessage, 4, reason: "optional parameter \(type)")
      }
      found += try Capability.list(value)
    }
    return found
  }

  // MARK: Writing

  var body: [UInt8] {
    var writer = ByteWriter()
    writer.uint8(4)
    writer.uint16(UInt16(exactly: autonomousSystem) ?? Self.asTrans)
    writer.uint16(holdTimeSeconds)
    writer.address(identifier)
    let octets = capabilities.flatMap(\.octets)
    if octets.isEmpty {
      writer.uint8(0)
    } else if octets.count <= 253 {
      writer.uint8(UInt8(octets.count + 2))
      writer.uint8(2)
      writer.uint8(UInt8(octets.count))
    } else {
      writer.octets([255, 255])
      writer.uint16(UInt16(octets.count + 3))
      writer.uint8(2)
      writer.uint16(UInt16(octets.count))
    }
    writer.octets(octets)
    return writer.bytes
  }
}
