import Wire

/// Octets in network byte order, appended one field after the other.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func uint8(_ value: UInt8) { bytes.append(value) }

  mutating func uint16(_ value: UInt16) {
    bytes.append(UInt8(value >> 8))
    bytes.append(UInt8(value & 0xff))
  }

  mutating func uint32(_ value: UInt32) {
    uint16(UInt16(value >> 16))
    uint16(UInt16(value & 0xffff))
  }

  mutating func address(_ value: IPv4Address) { uint32(value.number) }

  mutating func octets(_ value: [UInt8]) { bytes.append(contentsOf: value) }
}
