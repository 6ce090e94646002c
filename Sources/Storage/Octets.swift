/// Writes numbers, most significant octet first.
struct OctetWriter {
  private(set) var octets: [UInt8] = []

  mutating func put(octet: UInt8) { octets.append(octet) }

  mutating func put(_ number: UInt64) {
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      octets.append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  mutating func put(_ more: [UInt8]) { octets += more }
}

/// Reads what `OctetWriter` wrote; nothing where octets are missing.
struct OctetReader {
  private var rest: ArraySlice<UInt8>

  init(_ octets: [UInt8]) { rest = octets[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func octet() -> UInt8? { rest.popFirst() }

  mutating func number() -> UInt64? {
    guard rest.count >= 8 else { return nil }
    defer { rest = rest.dropFirst(8) }
    return rest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  mutating func remainder() -> [UInt8] {
    defer { rest = [] }
    return Array(rest)
  }
}
