import Dataplane
import PacketBuilder
import Testing
import Wire

/// Memory as a worker has it, with the packet's outermost header at some offset.
struct Memory {
  private var bytes: [UInt8]

  init(_ packet: [UInt8], at offset: Int = 0) {
    let first = Frame.headroom + offset
    bytes = [UInt8](repeating: 0xa5, count: first) + packet
    bytes += [UInt8](repeating: 0xa5, count: Frame.guaranteed)
  }

  mutating func withSpan<Result>(_ body: (consuming MutableRawSpan) -> Result) -> Result {
    var span = bytes.mutableSpan
    return unsafe body(span.mutableBytes)
  }

  func bytes(from offset: Int, count: Int) -> [UInt8] {
    Array(bytes[(Frame.headroom + offset)..<(Frame.headroom + offset + count)])
  }
}

/// A super-packet as a device hands it over, and the textbook's view of what must come out of it.
struct SuperPacket: Sendable, CustomTestStringConvertible {
  var isUDP = false
  var isEncapsulated = true
  var flags = TCPFlags.ack
  var options: [UInt8] = []
  var payload = 10_000
  var size: UInt16 = 1440

  var testDescription: String {
    "\(isUDP ? "UDP" : "TCP") \(payload)/\(size)\(isEncapsulated ? " in IPIP" : ""), \(options.count) option bytes"
  }
  var inner: IPv4 { IPv4("198.51.100.10", "203.0.113.10", identification: 700) }
  var bytes: [UInt8] {
    let packet =
      isUDP
      ? inner / UDP(4000, 53, isPartial: true) / Payload(count: payload)
      : inner / TCP(4000, 80, flags, sequence: 0xffff_f000, options: options, isPartial: true)
        / Payload(count: payload)
    guard isEncapsulated else { return packet.bytes }
    return (IPv4("10.1.1.2", "10.64.1.1", identification: 9) / packet).bytes
  }
  var offload: Offload {
    var offload = Offload()
    offload.flags = Offload.needsChecksum
    offload.checksumStart = isEncapsulated ? 40 : 20
    offload.checksumOffset = isUDP ? 6 : 16
    offload.gsoType = isUDP ? Offload.gsoUDP : Offload.gsoTCPv4
    offload.gsoSize = size
    return offload
  }
  /// What the sender would have sent without offload.
  func segment(_ number: Int, of count: Int) -> [UInt8] {
    let first = number * Int(size)
    let part = (first..<min(first + Int(size), payload)).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
    var header = inner
    header.identification += UInt16(number)
    var bits = flags.rawValue
    if number > 0 { bits &= 0x7f }
    if number + 1 < count { bits &= 0xf6 }
    let sequence = UInt32(0xffff_f000) &+ UInt32(first)
    let packet =
      isUDP
      ? header / UDP(4000, 53) / Payload(part)
      : header / TCP(4000, 80, TCPFlags(bits), sequence: sequence, options: options) / Payload(part)
    guard isEncapsulated else { return packet.bytes }
    return (IPv4("10.1.1.2", "10.64.1.1", identification: 9 + UInt16(number)) / packet).bytes
  }
}

/// Runs a segmenter over a packet that begins at `offset`; nil when it refuses.
func segments(of packet: [UInt8], at offset: Int = 0, _ offload: Offload) -> [[UInt8]]? {
  var buffer = Memory(packet, at: offset)
  guard
    var segmenter = buffer.withSpan({
      Segmenter($0, offset: offset, byteCount: packet.count, offload: offload)
    })
  else { return nil }
  var result: [[UInt8]] = []
  while let segment = buffer.withSpan({ segmenter.next($0) }) {
    result.append(buffer.bytes(from: segment.offset, count: segment.byteCount))
  }
  return result.count == segmenter.count ? result : nil
}

@Suite("Segmenter")
struct SegmenterTests {
  static let cases = [
    SuperPacket(), SuperPacket(isEncapsulated: false), SuperPacket(isUDP: true),
    SuperPacket(isUDP: true, isEncapsulated: false), SuperPacket(payload: 65_000),
    SuperPacket(flags: TCPFlags(0x99)), SuperPacket(flags: TCPFlags(0x99), payload: 1440),
    SuperPacket(options: [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8]),
    SuperPacket(options: [UInt8](repeating: 1, count: 40), payload: 4321, size: 333),
    SuperPacket(payload: 1440), SuperPacket(payload: 1441), SuperPacket(payload: 1439),
    SuperPacket(payload: 2880), SuperPacket(payload: 1), SuperPacket(payload: 0),
    SuperPacket(payload: 100, size: 1), SuperPacket(isUDP: true, payload: 57, size: 8),
    SuperPacket(payload: 65_000, size: 48), SuperPacket(isUDP: true, payload: 1401, size: 1400),
    SuperPacket(isUDP: true, payload: 60_001, size: 1399),
  ]

  @Test("What comes out is what the sender would have sent itself", arguments: cases)
  func splits(example: SuperPacket) throws {
    for offset in example.isEncapsulated ? [0, -20] : [0, 20] {
      let pieces = try #require(segments(of: example.bytes, at: offset, example.offload))
      let count = max(1, (example.payload + Int(example.size) - 1) / Int(example.size))
      #expect(pieces.count == count)
      for (number, piece) in pieces.enumerated() {
        #expect(piece == example.segment(number, of: count), "segment \(number) of \(count) at \(offset)")
      }
    }
  }

  @Test("A packet that is no super-packet comes out as it is")
  func whole() throws {
    let packet = (IPv4("10.1.1.2", "10.64.1.1") / IPv4("1.2.3.4", "5.6.7.8") / TCP(1, 2) / Payload(count: 9))
      .bytes
    #expect(try #require(segments(of: packet, Offload())) == [packet])
  }

  @Test("A checksum that was only begun is completed", arguments: [true, false], [0, 1, 2, 3, 1001])
  func completes(isUDP: Bool, count: Int) throws {
    func packet(_ isPartial: Bool) -> [UInt8] {
      let body = Payload(count: count)
      let inner = IPv4("198.51.100.10", "203.0.113.10")
      let whole =
        isUDP
        ? inner / UDP(9, 53, isPartial: isPartial) / body : inner / TCP(9, 80, isPartial: isPartial) / body
      return (IPv4("10.1.1.2", "10.64.1.1") / whole).bytes
    }
    var offload = Offload()
    offload.flags = Offload.needsChecksum
    offload.checksumStart = 40
    offload.checksumOffset = isUDP ? 6 : 16
    #expect(try #require(segments(of: packet(true), offload)) == [packet(false)])
    var buffer = Memory(packet(true))
    let left = buffer.withSpan {
      Segmenter.complete($0, offset: 0, byteCount: packet(true).count, offload: offload)
    }
    #expect(try #require(left).flags == 0)
    #expect(buffer.bytes(from: 0, count: packet(false).count) == packet(false))
  }

  @Test("A UDP checksum that would come out as 0 is written as 0xffff (RFC 768)")
  func zeroChecksum() throws {
    var offload = Offload()
    offload.flags = Offload.needsChecksum
    offload.checksumStart = 20
    offload.checksumOffset = 6
    var met = 0
    for word in 0...UInt16.max {
      let body = Payload([UInt8(word >> 8), UInt8(word & 255)])
      let right = (IPv4("1.2.3.4", "5.6.7.8") / UDP(9, 53) / body).bytes
      guard right[26] == 0xff && right[27] == 0xff else { continue }
      met += 1
      let begun = (IPv4("1.2.3.4", "5.6.7.8") / UDP(9, 53, isPartial: true) / body).bytes
      #expect(try #require(segments(of: begun, offload)) == [right])
    }
    #expect(met > 0)
  }
}

@Suite("Segmenter, refused")
struct SegmenterRefusalTests {
  /// What is changed of a good request: in the offload, or in a byte of the packet.
  static let offloads: [(String, @Sendable (inout Offload) -> Void)] = [
    ("segments of nothing", { $0.gsoSize = 0 }),
    ("complete checksum", { $0.flags = 0 }),
    ("start before the transport header", { $0.checksumStart = 20 }),
    ("start behind the packet", { $0.checksumStart = 65_535 }),
    ("offset of UDP", { $0.checksumOffset = 6 }),
    ("offset behind the packet", { $0.checksumOffset = 65_535 }),
    ("UDP of a TCP packet", { $0.gsoType = Offload.gsoUDP }),
    ("TCP over IPv6", { $0.gsoType = 4 }),
    ("UDP fragmentation", { $0.gsoType = 3 }),
    ("nothing known", { $0.gsoType = 99 }),
  ]
  static let bytes: [(String, Int, UInt8)] = [
    ("outer version", 0, 0x65), ("outer options", 0, 0x46), ("inner version", 20, 0x65),
    ("inner options", 20, 0x46), ("inner length", 22, 1), ("inner fragment", 26, 0x20),
    ("inner protocol", 29, 17), ("outer protocol", 9, 47), ("data offset 0", 52, 0),
    ("data offset 4", 52, 0x40),
  ]

  @Test("A request that makes no sense", arguments: offloads.indices)
  func offload(index: Int) {
    let good = SuperPacket()
    var offload = good.offload
    Self.offloads[index].1(&offload)
    #expect(segments(of: good.bytes, offload) == nil, "\(Self.offloads[index].0)")
  }

  @Test("A packet that contradicts the request", arguments: bytes)
  func packet(name: String, at place: Int, value: UInt8) {
    let good = SuperPacket()
    var packet = good.bytes
    packet[place] = value
    #expect(segments(of: packet, good.offload) == nil, "\(name)")
  }

  @Test("More segments than anybody needs")
  func many() {
    let good = SuperPacket(payload: 1400, size: 1)
    #expect(segments(of: good.bytes, good.offload)?.count == 1400)
    let bad = SuperPacket(payload: 1401, size: 1)
    #expect(segments(of: bad.bytes, bad.offload) == nil)
  }

  @Test("A header longer than the packet, a place outside of the buffer")
  func outside() {
    var short = SuperPacket(payload: 10).bytes
    short[52] = 0xf0
    #expect(segments(of: short, SuperPacket(payload: 10).offload) == nil)
    var buffer = Memory(SuperPacket().bytes)
    let offload = SuperPacket().offload
    for (offset, count) in [
      (0, 100_000), (-65, 100), (65, 100), (0, 0), (0, -1), (Int.min / 2, 5), (0, Int.max),
    ] {
      let made = buffer.withSpan { Segmenter($0, offset: offset, byteCount: count, offload: offload) }
      #expect(made == nil, "\(offset) \(count)")
    }
  }
}
