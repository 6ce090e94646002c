import Wire

/// Prefixes as UPDATE carries them: a length octet, then as many octets as the length needs (RFC 4271 §4.3).
enum NLRI {
  /// Octets that the prefix takes.
  static func size(of prefix: IPv4Prefix) -> Int { 1 + (Int(prefix.length) + 7) / 8 }

  static func write(_ prefixes: [IPv4Prefix], to writer: inout ByteWriter) {
    for prefix in prefixes {
      writer.uint8(prefix.length)
      var number = prefix.address.number
      for _ in 1..<size(of: prefix) {
        writer.uint8(UInt8(number >> 24))
        number <<= 8
      }
    }
  }

  /// Reads prefixes; `nil` when one is longer than 32 bits or cut off.
  ///
  /// Bits behind the length are "irrelevant" (RFC 4271 §4.3) and cleared.
  static func read(_ octets: [UInt8]) -> [IPv4Prefix]? {
    var reader = ByteReader(octets)
    var prefixes: [IPv4Prefix] = []
    while let length = reader.uint8() {
      guard length <= 32, let part = reader.take((Int(length) + 7) / 8) else { return nil }
      var number: UInt32 = 0
      for octet in part { number = number << 8 | UInt32(octet) }
      // Shifting by 32 gives 0, which a prefix of length 0 wants.
      prefixes.append(
        IPv4Prefix(IPv4Address(number: number << (32 - 8 * UInt32(part.count))), length: length))
    }
    return prefixes
  }
}
