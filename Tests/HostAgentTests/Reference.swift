import Wire

/// Checksums and headers as a textbook has them, byte by byte: the judge of what the agent did.
enum Reference {
  /// The ones' complement sum of 16-bit words in network order.
  static func sum(_ bytes: some Sequence<UInt8>) -> UInt16 {
    var total = 0
    var isHigh = true
    for byte in bytes {
      total += isHigh ? Int(byte) << 8 : Int(byte)
      isHigh.toggle()
    }
    while total > 0xffff { total = (total & 0xffff) + (total >> 16) }
    return UInt16(total)
  }

  static func pseudoHeader(
    _ source: IPv4Address, _ destination: IPv4Address, _ proto: IPProtocol, _ length: Int
  ) -> [UInt8] {
    source.number.octets + destination.number.octets + [0, proto.rawValue]
      + UInt16(truncatingIfNeeded: length).octets
  }

  static func word(_ bytes: [UInt8], _ at: Int) -> UInt16 { UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1]) }
  static func address(_ bytes: [UInt8], _ at: Int) -> IPv4Address {
    IPv4Address(bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3])
  }

  static func tuple(_ bytes: [UInt8]) -> FiveTuple {
    FiveTuple(
      source: address(bytes, 12), destination: address(bytes, 16), sourcePort: word(bytes, 20),
      destinationPort: word(bytes, 22), proto: IPProtocol(bytes[9]))
  }

  /// What is wrong with the checksums and lengths of a packet; empty: nothing.
  static func faults(_ bytes: [UInt8], isPartial: Bool = false) -> [String] {
    guard bytes.count >= 20, bytes[0] == 0x45 else { return ["no IPv4 header"] }
    var faults: [String] = []
    if Int(word(bytes, 2)) != bytes.count { faults.append("total length \(word(bytes, 2)), \(bytes.count)") }
    if sum(bytes[..<20]) != 0xffff { faults.append("header checksum") }
    let proto = IPProtocol(bytes[9])
    let rest = Array(bytes[20...])
    if proto == .ipip { return faults + Self.faults(rest, isPartial: isPartial) }
    if proto == .icmp { return faults + (sum(rest) == 0xffff ? [] : ["ICMP checksum"]) }
    let pseudo = pseudoHeader(address(bytes, 12), address(bytes, 16), proto, rest.count)
    let field = proto == .tcp ? 16 : 6
    if proto == .udp && Int(word(rest, 4)) != rest.count { faults.append("UDP length") }
    if isPartial {
      if word(rest, field) % 0xffff != sum(pseudo) % 0xffff { faults.append("partial checksum") }
    } else if proto == .tcp || word(rest, field) != 0, sum(pseudo + rest) != 0xffff {
      faults.append("transport checksum")
    }
    return faults
  }
}
