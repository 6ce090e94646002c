import Platform
import Wire

/// A TCP segment inside IPIP, as a MUX sends it.
struct EncapsulatedPacket: Sendable {
  var locator: IPv4Address
  var sequence: UInt32 = 1000
  var data: [UInt8] = Array("data".utf8)

  /// From the outer header on, checksums complete.
  var bytes: [UInt8] {
    let source = IPv4Address(198, 51, 100, 10)
    let vip = IPv4Address(203, 0, 113, 10)
    var segment: [UInt8] = [0x9c, 0x40, 0, 80]
    segment += (0..<4).map { UInt8(truncatingIfNeeded: sequence >> (24 - 8 * UInt32($0))) }
    segment += [0, 0, 0, 1, 0x50, 0x10, 0x20, 0, 0, 0, 0, 0] + data
    let length = [UInt8(segment.count >> 8), UInt8(segment.count & 255)]
    let pseudo = TestPacket.octets(source) + TestPacket.octets(vip) + [0, 6] + length
    Self.seal(&segment, at: 16, over: pseudo + segment)
    let inner = Self.header(source, vip, 6, segment.count) + segment
    return Self.header(IPv4Address(10, 1, 1, 2), locator, 4, inner.count) + inner
  }

  private static func header(
    _ source: IPv4Address, _ destination: IPv4Address, _ proto: UInt8, _ count: Int
  ) -> [UInt8] {
    let length = count + 20
    var header: [UInt8] = [0x45, 0, UInt8(length >> 8), UInt8(length & 255), 0, 0, 0x40, 0, 64, proto, 0, 0]
    header += TestPacket.octets(source) + TestPacket.octets(destination)
    seal(&header, at: 10, over: header)
    return header
  }

  private static func seal(_ bytes: inout [UInt8], at offset: Int, over sum: [UInt8]) {
    let value = TestPacket.checksum(sum[...])
    bytes[offset] = UInt8(value >> 8)
    bytes[offset + 1] = UInt8(value & 255)
  }
}
