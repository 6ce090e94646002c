import Dataplane
import PacketBuilder
import Testing
import Wire

@Suite("Coalescer, rules")
struct CoalescerTests {
  typealias Change = @Sendable (inout Data) -> Void
  static let timestamps: [UInt8] = [1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8]

  /// What is different about the second segment, or about both, and what becomes of it.
  static let cases: [(name: String, both: Change, second: Change, answer: Coalescer.Answer)] = [
    ("nothing", { _ in }, { _ in }, .joined),
    ("less data", { _ in }, { $0.payload = Payload(count: 99) }, .joined),
    ("one byte", { _ in }, { $0.payload = Payload(count: 1) }, .joined),
    ("more data", { _ in }, { $0.payload = Payload(count: 101) }, .conflict),
    ("PSH", { _ in }, { $0.transport.flags = .ack | .psh }, .joined),
    ("FIN", { _ in }, { $0.transport.flags = .ack | .fin }, .joined),
    (
      "FIN, less data", { _ in }, { ($0.transport.flags, $0.payload) = (.ack | .fin, Payload(count: 3)) },
      .joined
    ),
    ("same timestamps", { $0.transport.options = timestamps }, { _ in }, .joined),
    ("ECN echo in both", { $0.transport.flags = TCPFlags(0x50) }, { _ in }, .joined),
    ("CE in both", { $0.network.typeOfService = 3 }, { _ in }, .joined),
    ("identification repeated, DF", { _ in }, { $0.network.identification = 700 }, .joined),
    ("no DF", { $0.network.dontFragment = false }, { _ in }, .joined),
    ("sequence wraps", { $0.transport.sequence &+= UInt32.max - 1050 }, { _ in }, .joined),
    ("partial", { ($0.offload, $0.transport.isPartial) = (Data.partial, true) }, { _ in }, .joined),
    (
      "valid as the device says", { _ in },
      {
        $0.offload.flags = Offload.dataValid; $0.transport.checksum = 5
      }, .joined
    ),

    ("machine", { _ in }, { $0.machine = 2 }, .conflict),
    ("source", { _ in }, { $0.network.source = "198.51.100.11" }, .conflict),
    ("destination", { _ in }, { $0.network.destination = "10.1.0.6" }, .conflict),
    ("source port", { _ in }, { $0.transport.source = 4001 }, .conflict),
    ("destination port", { _ in }, { $0.transport.destination = 81 }, .conflict),
    ("service", { _ in }, { $0.network.typeOfService = 8 }, .conflict),
    ("CE", { $0.network.typeOfService = 2 }, { $0.network.typeOfService = 3 }, .conflict),
    ("hops", { _ in }, { $0.network.timeToLive = 63 }, .conflict),
    ("DF", { _ in }, { $0.network.dontFragment = false }, .conflict),
    (
      "identification, no DF", { $0.network.dontFragment = false }, { $0.network.identification = 700 },
      .conflict
    ),
    ("gap", { _ in }, { $0.transport.sequence += 1 }, .conflict),
    ("repetition", { _ in }, { $0.transport.sequence -= 100 }, .conflict),
    ("overlap", { _ in }, { $0.transport.sequence -= 1 }, .conflict),
    ("acknowledgment", { _ in }, { $0.transport.acknowledgment = 78 }, .conflict),
    ("window", { _ in }, { $0.transport.window = 501 }, .conflict),
    ("ECN echo", { _ in }, { $0.transport.flags = TCPFlags(0x50) }, .conflict),
    ("more options", { _ in }, { $0.transport.options = timestamps }, .conflict),
    ("less options", { $0.transport.options = timestamps }, { $0.transport.options = [] }, .conflict),
    ("timestamp", { $0.transport.options = timestamps }, { $0.transport.options[11] = 9 }, .conflict),
    (
      "PSH, another flow", { _ in }, { ($0.transport.flags, $0.transport.source) = (.ack | .psh, 5) },
      .unsuitable
    ),

    ("no data", { _ in }, { $0.payload = Payload(count: 0) }, .unsuitable),
    ("no ACK", { _ in }, { $0.transport.flags = TCPFlags(0) }, .unsuitable),
    ("SYN", { _ in }, { $0.transport.flags = .ack | .syn }, .unsuitable),
    ("RST", { _ in }, { $0.transport.flags = .ack | .rst }, .unsuitable),
    ("URG", { _ in }, { $0.transport.flags = TCPFlags(0x30) }, .unsuitable),
    ("CWR", { _ in }, { $0.transport.flags = TCPFlags(0x90) }, .unsuitable),
    ("fragment", { _ in }, { $0.network.fragmentOffset = 1 }, .unsuitable),
    ("more fragments", { _ in }, { $0.network.moreFragments = true }, .unsuitable),
    ("reserved flag", { _ in }, { $0.network.fragmentOffset = 0x8000 }, .unsuitable),
    ("IP options", { _ in }, { $0.network.options = [1, 1, 1, 1] }, .unsuitable),
    ("version", { _ in }, { $0.network.versionAndLength = 0x65 }, .unsuitable),
    ("protocol", { _ in }, { $0.network.proto = 17 }, .unsuitable),
    ("IP checksum", { _ in }, { $0.network.checksum = 1 }, .unsuitable),
    ("longer than it says", { _ in }, { $0.network.totalLength = 139 }, .unsuitable),
    ("shorter than it says", { _ in }, { $0.network.totalLength = 141 }, .unsuitable),
    ("data offset 4", { _ in }, { $0.transport.dataOffset = 4 }, .unsuitable),
    ("data offset 15", { $0.payload = Payload(count: 39) }, { $0.transport.dataOffset = 15 }, .unsuitable),
    ("TCP checksum", { _ in }, { $0.transport.checksum = 1 }, .unsuitable),
    (
      "super-packet", { _ in }, { ($0.offload.gsoType, $0.offload.gsoSize) = (Offload.gsoTCPv4, 50) },
      .unsuitable
    ),
    ("only an ECN mark of offload", { _ in }, { $0.offload.gsoType = Offload.gsoECN }, .unsuitable),
    (
      "partial from elsewhere", { _ in }, { ($0.offload, $0.offload.checksumStart) = (Data.partial, 40) },
      .unsuitable
    ),
    (
      "partial to elsewhere", { _ in }, { ($0.offload, $0.offload.checksumOffset) = (Data.partial, 6) },
      .unsuitable
    ),
  ]

  @Test("The second of two segments", arguments: cases.indices)
  func second(index: Int) throws {
    let example = Self.cases[index]
    var first = Data()
    example.both(&first)
    var second = first.next
    example.second(&second)
    var driver = Driver()
    #expect(driver.offer(first.delivery) == .joined, "\(example.name)")
    #expect(driver.offer(second.delivery, at: 0) == example.answer, "\(example.name)")
    // Whatever became of it, it is written behind the first.
    driver = Driver()
    _ = driver.deliver(first.delivery)
    _ = driver.deliver(second.delivery)
    driver.flush()
    #expect(driver.written.count == (example.answer == .joined ? 1 : 2), "\(example.name)")
    guard example.answer == .joined else {
      #expect(driver.written == [first.delivery, second.delivery], "\(example.name)")
      return
    }
    try expectWhole(driver.written[0], first, second)
  }

  /// The super-packet in full, as the builder writes it.
  func expectWhole(_ whole: Delivery, _ first: Data, _ second: Data) throws {
    var expected = first
    expected.payload.content += second.payload.content
    expected.transport.isPartial = true
    expected.transport.flags = first.transport.flags | second.transport.flags
    #expect(whole.bytes == expected.delivery.bytes)
    #expect(whole.offload.flags == Offload.needsChecksum && whole.offload.gsoType == Offload.gsoTCPv4)
    #expect(Int(whole.offload.gsoSize) == first.payload.content.count)
    #expect(Int(whole.offload.headerLength) == 40 + first.transport.options.count)
    #expect(whole.offload.checksumStart == 20 && whole.offload.checksumOffset == 16)
  }

  @Test("Behind PSH, FIN or a short segment nothing is joined", arguments: [0x18, 0x11, 0x10])
  func complete(flags: UInt8) {
    let first = Data()
    var second = first.next
    second.transport.flags = TCPFlags(flags)
    if flags == 0x10 { second.payload = Payload(count: 50) }
    var third = second.next
    third.transport.flags = .ack
    var driver = Driver()
    #expect(driver.offer(first.delivery) == .joined)
    #expect(driver.offer(second.delivery) == .joined)
    #expect(driver.offer(third.delivery) == .conflict)
    driver.flush()
    #expect(driver.written.map(\.bytes.count) == [140 + second.payload.content.count])
    #expect(driver.offer(third.delivery) == .joined)
  }

  @Test("A packet alone is given back as it came", arguments: [true, false])
  func alone(isPartial: Bool) {
    var only = Data()
    only.transport.isPartial = isPartial
    if isPartial { only.offload = Data.partial } else { only.offload.flags = Offload.dataValid }
    only.machine = 7
    var driver = Driver()
    #expect(!driver.isPending)
    #expect(driver.deliver(only.delivery) == .joined)
    #expect(driver.isPending)
    driver.flush()
    #expect(!driver.isPending)
    driver.flush()
    #expect(driver.written == [only.delivery])
  }

  @Test("Nothing begins with the last of a burst, or with a damaged one")
  func beginning() {
    var (last, damaged) = (Data(), Data())
    last.transport.flags = .ack | .psh
    damaged.transport.checksum = 9
    var driver = Driver()
    #expect(driver.deliver(last.delivery) == .unsuitable)
    #expect(driver.deliver(damaged.delivery) == .unsuitable)
    #expect(driver.written == [last.delivery, damaged.delivery] && !driver.isPending)
  }

  @Test("Every bit of a segment that is flipped is found", arguments: [false, true])
  func damaged(isFirst: Bool) {
    let (first, second) = (Data().delivery, Data().next.delivery)
    let good = isFirst ? first : second
    for bit in 0..<(8 * good.bytes.count) {
      var bad = good
      bad.bytes[bit / 8] ^= 1 << (bit % 8)
      var driver = Driver()
      if !isFirst { #expect(driver.offer(first) == .joined) }
      #expect(driver.deliver(bad) == .unsuitable, "bit \(bit)")
      #expect(driver.written.last == bad, "bit \(bit)")
    }
  }
}

@Suite("Coalescer, limits")
struct CoalescerLimitTests {
  /// How many of a long row of segments with so much data go into the first super-packet.
  @Test(
    "64 KB and 64 segments",
    arguments: [(1440, 45), (1448, 45), (1, 64), (1023, 64), (1024, 63), (32_747, 2), (32_748, 1)])
  func full(size: Int, count: Int) throws {
    var driver = Driver()
    var data = Data(payload: Payload(count: size), offload: Offload())
    for number in 0..<count {
      #expect(driver.offer(data.delivery) == .joined, "\(number)")
      data = data.next
    }
    #expect(driver.offer(data.delivery) == .conflict)
    driver.flush()
    #expect(driver.written[0].bytes.count == 40 + count * size)
    #expect(driver.offer(data.delivery) == .joined)
  }

  @Test("The last byte that a length can say")
  func longest() throws {
    var driver = Driver()
    let first = Data(payload: Payload(count: 32_748))
    var second = first.next
    second.payload = Payload(count: 32_747)
    #expect(driver.deliver(first.delivery) == .joined)
    #expect(driver.deliver(second.delivery) == .joined)
    driver.flush()
    #expect(driver.written[0].bytes.count == 65_535)
    #expect(try #require(driver.written[0].onTheWire) == [first.delivery.bytes, second.delivery.bytes])
  }

  @Test("A buffer that is too small for more")
  func small() {
    var driver = Driver(room: 0)
    // Memory has `Frame.guaranteed` bytes behind the packet in any case: one segment of 140 fits, not two.
    #expect(driver.deliver(Data().delivery) == .joined)
    #expect(driver.offer(Data().next.delivery) == .conflict)
    driver.flush()
    let large = Data(payload: Payload(count: 1000)).delivery
    #expect(driver.deliver(large) == .unsuitable)
    #expect(driver.written == [Data().delivery, large])
  }

  @Test("A place outside of the buffer")
  func outside() {
    var driver = Driver()
    let good = Data().delivery
    for (offset, count) in [
      (-65, 140), (65, 140), (20, 0), (20, -1), (20, 40), (20, 100_000), (Int.min, 140), (20, Int.min),
      (20, Int.max),
      (Int.max, Int.max), (64, 65_535), (-64, 65_535),
    ] {
      var buffer = Memory(good.bytes, at: 20)
      #expect(
        driver.offer(&buffer, at: offset, byteCount: count, Offload(), 1) == .unsuitable, "\(offset) \(count)"
      )
    }
    #expect(!driver.isPending)
  }
}
