import Wire

/// What names and addresses must look like wherever they stand.
enum NameCheck {
  /// Why this is no DNS label of lower-case letters, digits and `-`; nil if it is one.
  static func label(_ name: String) -> String? {
    guard !name.isEmpty else { return "is empty; give a name" }
    guard name.utf8.count <= Limits.nameLength else {
      return "has \(name.utf8.count) characters; at most \(Limits.nameLength) are allowed"
    }
    let isWellFormed = name.utf8.allSatisfy { octet in
      octet >= UInt8(ascii: "a") && octet <= UInt8(ascii: "z")
        || octet >= UInt8(ascii: "0") && octet <= UInt8(ascii: "9") || octet == UInt8(ascii: "-")
    }
    guard isWellFormed else { return "\"\(name)\" may hold only lower-case letters, digits and -" }
    guard !name.hasPrefix("-"), !name.hasSuffix("-") else { return "\"\(name)\" may not begin or end with -" }
    return nil
  }

  /// Why this cannot be the name of a file in `/run/netns` or of a device; nil if it can.
  static func file(_ name: String, atMost limit: Int) -> String? {
    guard !name.isEmpty else { return "is empty; give a name" }
    guard name.utf8.count <= limit else {
      return "has \(name.utf8.count) characters; Linux allows \(limit)"
    }
    guard name != ".", name != ".." else { return "\"\(name)\" is not a name" }
    let isWellFormed = name.utf8.allSatisfy { octet in
      octet > UInt8(ascii: " ") && octet < 127 && octet != UInt8(ascii: "/") && octet != UInt8(ascii: ":")
    }
    guard isWellFormed else { return "\"\(name)\" may hold only printable ASCII without spaces, / and :" }
    return nil
  }

  /// Why nobody can be reached at this address; nil if somebody can.
  static func address(_ address: IPv4Address) -> String? {
    guard let range = specialRanges.first(where: { $0.prefix.contains(address) }) else { return nil }
    return "\(address) is \(range.meaning) (\(range.prefix)); give a unicast address"
  }

  /// Why nobody in this prefix can be reached; nil if somebody can.
  static func prefix(_ prefix: IPv4Prefix) -> String? {
    guard let range = specialRanges.first(where: { $0.prefix.overlaps(prefix) }) else { return nil }
    return "\(prefix) holds addresses that are \(range.meaning) (\(range.prefix)); give unicast prefixes"
  }

  /// IANA's special-purpose addresses (RFC 6890) that can be no address of a node, VIP or VM.
  private static let specialRanges: [(prefix: IPv4Prefix, meaning: String)] = [
    (IPv4Prefix(IPv4Address(0, 0, 0, 0), length: 8), "\"this network\""),
    (IPv4Prefix(IPv4Address(127, 0, 0, 0), length: 8), "loopback"),
    // Health probes come to a VM from 169.254.169.1.
    (IPv4Prefix(IPv4Address(169, 254, 0, 0), length: 16), "link-local"),
    (IPv4Prefix(IPv4Address(224, 0, 0, 0), length: 4), "multicast"),
    (IPv4Prefix(IPv4Address(240, 0, 0, 0), length: 4), "reserved or broadcast"),
  ]
}
