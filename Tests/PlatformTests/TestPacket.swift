import Platform
import Wire

/// Packets as the agent's side writes and reads them: a virtio-net header, then IPv4.
enum TestPacket {
  /// An ICMP echo request (RFC 792) behind an empty virtio-net header.
  static func echoRequest(
    from source: IPv4Address, to destination: IPv4Address, identifier: UInt16
  ) -> [UInt8] {
    var icmp: [UInt8] = [8, 0, 0, 0, UInt8(identifier >> 8), UInt8(identifier & 255), 0, 1]
    icmp += (0..<32).map { UInt8($0) }
    put(checksum(icmp[...]), into: &icmp, at: 2)
    var header: [UInt8] = [0x45, 0, 0, UInt8(20 + icmp.count), 0, 0, 0, 0, 64, 1, 0, 0]
    header += octets(source) + octets(destination)
    put(checksum(header[...]), into: &header, at: 10)
    return [UInt8](repeating: 0, count: TUN.vnetHeaderByteCount) + header + icmp
  }

  static func octets(_ address: IPv4Address) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: address.number >> (24 - 8 * UInt32($0))) }
  }

  /// The sum of RFC 1071, in plain words.
  static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt16 {
    var sum: UInt32 = 0
    for (index, byte) in bytes.enumerated() {
      sum += index % 2 == 0 ? UInt32(byte) << 8 : UInt32(byte)
    }
    while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
    return ~UInt16(sum)
  }

  private static func put(_ value: UInt16, into bytes: inout [UInt8], at offset: Int) {
    bytes[offset] = UInt8(value >> 8)
    bytes[offset + 1] = UInt8(value & 255)
  }
}

extension TUNQueue {
  /// The next packet with its header, as an array; nil when none comes in time.
  borrowing func next(withinMilliseconds time: CInt = 2000) throws -> [UInt8]? {
    var epoll = try Epoll()
    try epoll.add(descriptor, tag: 0)
    guard try epoll.wait(timeoutMilliseconds: time) > 0 else { return nil }
    var buffer = [UInt8](repeating: 0, count: 70_000)
    let result = unsafe buffer.withUnsafeMutableBytes { bytes in unsafe read(into: bytes) }
    guard case .bytes(let count) = result else { return nil }
    return Array(buffer[..<count])
  }

  /// The next IPv4 packet that satisfies a condition; others, such as IPv6 router solicitations, are passed
  /// over.
  borrowing func next(where isWanted: ([UInt8]) -> Bool) throws -> [UInt8]? {
    for _ in 0..<100 {
      guard let packet = try next() else { return nil }
      if packet.count >= 30, packet[10] >> 4 == 4, isWanted(packet) { return packet }
    }
    return nil
  }

  /// Writes an array; the number of bytes the kernel took, -1 when it refused.
  borrowing func put(_ packet: [UInt8]) -> Int {
    guard case .bytes(let count) = unsafe write(packet.span.bytes) else { return -1 }
    return count
  }
}
