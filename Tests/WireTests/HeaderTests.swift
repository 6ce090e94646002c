import PacketBuilder
import Testing
import Wire

/// Each header: read what the builder wrote, write what the builder would have written.
@Suite struct HeaderTests {
  /// Lends a packet as a frame.
  func reading<Value>(_ packet: Packet, _ body: (inout Frame) -> Value) -> (Value, [UInt8])? {
    var buffer = FrameBuffer(packet.bytes)
    let count = buffer.byteCount
    let value: Value? = buffer.withSpan { span in
      guard var frame = Frame(span, byteCount: count) else { return nil }
      return body(&frame)
    }
    return value.map { ($0, buffer.bytes(from: 0, count: count)) }
  }

  @Test func ipv4() throws {
    let packet =
      IPv4("198.51.100.10", "203.0.113.10", typeOfService: 0xb9, identification: 0x1234, timeToLive: 17)
      / TCP(40_000, 80)
    let (fields, _) = try #require(
      reading(packet) { frame in
        let header = IPv4Header(at: 0)
        #expect(header.source(frame) == "198.51.100.10")
        #expect(header.destination(frame) == "203.0.113.10")
        #expect(header.isIntact(frame) && header.dontFragment(frame) && !header.isFragment(frame))
        return [
          Int(header.versionAndLength(frame)), Int(header.typeOfService(frame)), header.totalLength(frame),
          Int(header.identification(frame)), Int(header.timeToLive(frame)), Int(header.proto(frame).rawValue),
        ]
      })
    #expect(fields == [0x45, 0xb9, 40, 0x1234, 17, 6])
  }

  @Test(arguments: 0..<20) func everyByteOfTheIPv4HeaderIsSummed(place: Int) throws {
    var bytes = (IPv4("198.51.100.10", "203.0.113.10") / UDP(1, 2)).bytes
    bytes[place] ^= 0x10
    var buffer = FrameBuffer(bytes)
    let isIntact = buffer.withSpan { span in
      guard let frame = Frame(span, byteCount: bytes.count) else { return true }
      return IPv4Header(at: 0).isIntact(frame)
    }
    #expect(!isIntact)
  }

  @Test func tcp() throws {
    let packet =
      IPv4("198.51.100.10", "203.0.113.10")
      / TCP(40_000, 80, .syn | .ack, sequence: 0x0102_0304, acknowledgment: 0x0506_0708, options: TCP.mss(1440))
    let (_, bytes) = try #require(
      reading(packet) { frame in
        let header = TCPHeader(at: 20)
        #expect(header.sourcePort(frame) == 40_000 && header.destinationPort(frame) == 80)
        #expect(header.sequence(frame) == 0x0102_0304 && header.acknowledgment(frame) == 0x0506_0708)
        #expect(header.headerLength(frame) == 24)
        #expect(header.flags(frame) == .syn | .ack && !header.flags(frame).opens)
        let old = frame.load(20, as: UInt16.self)
        header.setSourcePort(40_001, &frame)
        let new = frame.load(20, as: UInt16.self)
        header.setChecksum(InternetChecksum.updated(header.checksum(frame), from: old, to: new), &frame)
      })
    var expected = packet
    expected =
      IPv4("198.51.100.10", "203.0.113.10")
      / TCP(40_001, 80, .syn | .ack, sequence: 0x0102_0304, acknowledgment: 0x0506_0708, options: TCP.mss(1440))
    #expect(bytes == expected.bytes)
  }

  @Test func udp() throws {
    let packet = IPv4("198.51.100.10", "203.0.113.10") / UDP(5353, 53) / Payload(count: 11)
    let (_, bytes) = try #require(
      reading(packet) { frame in
        let header = UDPHeader(at: 20)
        #expect(header.sourcePort(frame) == 5353 && header.destinationPort(frame) == 53)
        #expect(header.length(frame) == 19)
        let old = frame.load(22, as: UInt16.self)
        header.setDestinationPort(5300, &frame)
        let new = frame.load(22, as: UInt16.self)
        header.setChecksum(InternetChecksum.updated(header.checksum(frame), from: old, to: new), &frame)
      })
    #expect(bytes == (IPv4("198.51.100.10", "203.0.113.10") / UDP(5353, 5300) / Payload(count: 11)).bytes)
  }

  @Test func icmp() throws {
    let packet = IPv4("198.51.100.10", "203.0.113.10") / ICMP.echoRequest(77) / Payload(count: 8)
    let (_, bytes) = try #require(
      reading(packet) { frame in
        let header = ICMPHeader(at: 20)
        #expect(header.type(frame) == .echoRequest && header.code(frame) == 0)
        #expect(header.identifier(frame) == 77)
        header.setTypeAndCode(.echoReply, 0, &frame)
        let new = InternetChecksum.updated(header.checksum(frame), from: UInt16(0x0800).bigEndian, to: 0)
        header.setChecksum(new, &frame)
      })
    #expect(bytes == (IPv4("198.51.100.10", "203.0.113.10") / ICMP.echoReply(77) / Payload(count: 8)).bytes)
  }

  @Test func nonsenseFlags() {
    let nonsense = (0...255 as ClosedRange<UInt8>).map(TCPFlags.init).filter(\.isNonsense)
    #expect(nonsense.count == 256 * 3 / 8)
    #expect(nonsense.allSatisfy { $0.has(.syn) && ($0.has(.fin) || $0.has(.rst)) })
    #expect(TCPFlags.syn.opens && !(TCPFlags.syn | .ack).opens && (TCPFlags.syn | .psh).opens)
  }
}

/// RFC 2003 and RFC 6040: the outer header as the builder would write it.
@Suite struct IPIPTests {
  @Test(arguments: [0, 0x01, 0x02, 0x03, 0xb8, 0xbb] as [UInt8], [true, false])
  func outerHeader(typeOfService: UInt8, dontFragment: Bool) {
    let inner =
      IPv4(
        "198.51.100.10", "203.0.113.10", typeOfService: typeOfService, identification: 0xbeef,
        dontFragment: dontFragment) / UDP(1, 2) / Payload(count: 33)
    let expected =
      IPv4(
        "10.0.0.1", "10.1.0.5", typeOfService: typeOfService, identification: dontFragment ? 0 : 0xbeef,
        dontFragment: dontFragment, timeToLive: 64) / inner
    var buffer = FrameBuffer(inner.bytes)
    let count = buffer.byteCount
    buffer.withSpan { span in
      guard var frame = Frame(span, byteCount: count) else { return }
      IPIP.encapsulate(&frame, packetAt: 0, byteCount: count, from: "10.0.0.1", to: "10.1.0.5")
    }
    #expect(buffer.bytes(from: -20, count: count + 20) == expected.bytes)
  }
}

/// RFC 1071 and RFC 1624 against plain arithmetic.
@Suite struct InternetChecksumTests {
  @Test(arguments: [0, 1, 2, 3, 4, 5, 7, 8, 63, 64, 1_459, 1_460, 65_000])
  func sumOfBytes(count: Int) {
    var random = Random(seed: UInt64(count))
    let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    var buffer = FrameBuffer(bytes)
    let value = buffer.withSpan { span in
      guard let frame = Frame(span, byteCount: count) else { return UInt16(0) }
      var sum = InternetChecksum()
      sum.add(frame, from: 0, byteCount: count)
      return UInt16(bigEndian: sum.value)
    }
    #expect(value == checksum(bytes))
  }

  @Test func incrementalUpdateEqualsFullSum() {
    var random = Random(seed: 3)
    for _ in 0..<2_000 {
      var bytes = (0..<40).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let before = checksum(bytes)
      let place = random.below(20) * 2
      let old = UInt16(bytes[place]) << 8 | UInt16(bytes[place + 1])
      let new = UInt16(truncatingIfNeeded: random.next())
      bytes[place] = UInt8(new >> 8)
      bytes[place + 1] = UInt8(new & 255)
      #expect(InternetChecksum.updated(before, from: old, to: new) == checksum(bytes))
    }
  }

  @Test func rfc1624Example() {
    // RFC 1624 §4: HC = 0xdd2f, m = 0x5555, m' = 0x3285; the answer is 0x0000, not 0xffff.
    #expect(InternetChecksum.updated(0xdd2f, from: 0x5555 as UInt16, to: 0x3285 as UInt16) == 0x0000)
  }
}
