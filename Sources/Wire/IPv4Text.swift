// Text is for people and manifests; the packet path, and so Embedded Swift, has no use for it.
#if !$Embedded

extension IPv4Address: LosslessStringConvertible {
  /// Reads dotted decimal: exactly four numbers from 0 to 255, without leading zeros.
  public init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var number: UInt32 = 0
    for part in parts {
      guard let octet = Self.decimal(part, upTo: 255) else { return nil }
      number = number << 8 | octet
    }
    self.init(number: number)
  }

  /// Dotted decimal.
  public var description: String {
    let n = number
    return "\(n >> 24).\(n >> 16 & 255).\(n >> 8 & 255).\(n & 255)"
  }

  /// A decimal number without sign or leading zeros, at most `limit`.
  static func decimal(_ digits: Substring.UTF8View, upTo limit: UInt32) -> UInt32? {
    guard digits.count >= 1, digits.count <= 3, digits.count == 1 || digits.first != UInt8(ascii: "0") else {
      return nil
    }
    var number: UInt32 = 0
    for digit in digits {
      guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
      number = number * 10 + UInt32(digit - UInt8(ascii: "0"))
    }
    return number <= limit ? number : nil
  }
}

extension IPv4Prefix: LosslessStringConvertible {
  /// Reads `a.b.c.d/n`; host bits that are set are refused, since they are more often a slip than a wish.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPv4Address(String(parts[0])),
      let length = IPv4Address.decimal(parts[1].utf8, upTo: 32)
    else { return nil }
    self.init(address, length: UInt8(length))
    guard self.address == address else { return nil }
  }

  /// CIDR notation.
  public var description: String { "\(address)/\(length)" }
}

extension IPv4Address: Codable {
  /// Reads the dotted decimal text.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let address = IPv4Address(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(text) is not an IPv4 address")
    }
    self = address
  }

  /// Writes the dotted decimal text.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension IPv4Prefix: Codable {
  /// Reads CIDR notation.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let prefix = IPv4Prefix(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(text) is not an IPv4 prefix")
    }
    self = prefix
  }

  /// Writes CIDR notation.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

#endif
