import Dataplane
import PacketBuilder
import Testing
import Wire

@Suite("Coalescer, round trip")
struct CoalescerRoundTripTests {
  /// A super-packet that a sender might hand to its device.
  static func superPacket(_ random: inout Random) -> Data {
    var data = Data()
    data.network.identification = UInt16(truncatingIfNeeded: random.next())
    data.network.dontFragment = random.below(4) > 0
    data.network.typeOfService = UInt8(random.below(4))
    data.transport.sequence = UInt32(truncatingIfNeeded: random.next())
    data.transport.flags = TCPFlags([0x10, 0x18, 0x11, 0x19, 0x50][random.below(5)])
    data.transport.isPartial = true
    for _ in 0..<(random.below(3) * 3) { data.transport.options += [1, 1, 1, UInt8(random.below(256))] }
    let size = random.below(8) == 0 ? 1 + random.below(9000) : 1 + random.below(200)
    let segments = 2 + random.below(random.below(4) == 0 ? 63 : 8)
    let most = 65_535 - 40 - data.transport.options.count
    let count = min(most, size * (segments - 1) + 1 + random.below(size))
    data.payload = Payload((0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
    data.offload = Data.partial
    data.offload.gsoType = Offload.gsoTCPv4
    data.offload.gsoSize = UInt16(size)
    return data
  }

  @Test("What the segmenter splits becomes the same again", arguments: 0..<8)
  func same(seed: UInt64) throws {
    var random = Random(seed: seed)
    for round in 0..<400 {
      let whole = Self.superPacket(&random).delivery
      let pieces = try #require(whole.onTheWire)
      var driver = Driver()
      for piece in pieces {
        #expect(driver.deliver(Delivery(bytes: piece)) != .unsuitable || pieces.count == 1)
      }
      driver.flush()
      guard pieces.count > 1 else { continue }
      #expect(driver.written == [whole], "seed \(seed), round \(round)")
    }
  }

  @Test("Two flows, and others between: nothing is lost, changed or overtaken", arguments: 0..<4)
  func mixed(seed: UInt64) throws {
    var random = Random(seed: 100 + seed)
    for round in 0..<100 {
      var flows = (0..<3).map { number in
        var data = Self.superPacket(&random)
        data.transport.source = UInt16(4000 + number)
        return ArraySlice(data.delivery.onTheWire ?? [])
      }
      var (driver, sent) = (Driver(), [[UInt8]]())
      while flows.contains(where: { !$0.isEmpty }) {
        let flow = random.below(3)
        for _ in 0...random.below(6) {
          guard var packet = flows[flow].popFirst() else { break }
          if random.below(20) == 0 { packet[30] ^= 0x40 }
          if random.below(30) == 0 { driver.flush() }
          sent.append(packet)
          _ = driver.deliver(Delivery(bytes: packet))
        }
      }
      driver.flush()
      let arrived = try driver.written.flatMap { try #require($0.onTheWire) }
      #expect(arrived == sent, "seed \(seed), round \(round)")
      #expect(driver.written.count < sent.count || sent.count < 12)
    }
  }

  @Test("Spoilt packets: what is joined is what would have arrived without joining", arguments: 0..<6)
  func fuzz(seed: UInt64) throws {
    var random = Random(seed: 1000 + seed)
    var row = [Data()]
    for _ in 0..<7 { row.append(row[row.count - 1].next) }
    let good = row.map(\.delivery.bytes)
    var (driver, sent, joined) = (Driver(), [[UInt8]](), 0)
    var buffer = Memory([UInt8](repeating: 0, count: 300), at: 0)
    for round in 0..<60_000 {
      let packet = Self.spoil(good[round % good.count], &random)
      let offload = Self.offload(&random)
      if packet.count == good[0].count, offload.flags == 0, offload.gsoType == 0 {
        sent.append(packet)
        if driver.deliver(Delivery(bytes: packet)) == .joined { joined += 1 }
      } else {
        // What the device says is false: only that nothing breaks.
        var other = driver
        _ = other.deliver(Delivery(bytes: packet, offload: offload), at: random.below(129) - 64)
        let (offset, count) = (random.below(140) - 70, random.below(400))
        _ = other.offer(&buffer, at: offset, byteCount: count, offload, 1)
        other.flush()
        #expect(!other.isPending)
      }
      guard round % 100 == 99 else { continue }
      driver.flush()
      #expect(driver.written.allSatisfy { $0.bytes.count <= 65_535 })
      let arrived = try driver.written.flatMap { try #require($0.onTheWire) }
      let (a, b) = (arrived.map(Self.withoutIdentification), sent.map(Self.withoutIdentification))
      #expect(a == b, "seed \(seed), round \(round)")
      (driver, sent) = (Driver(room: 2000), [])
    }
    #expect(joined > 1000)
  }

  /// With DF the identification says nothing, and that of the first packet counts on.
  static func withoutIdentification(_ packet: [UInt8]) -> [UInt8] {
    guard packet.count > 40, packet[6] & 0x40 != 0 else { return packet }
    var packet = packet
    // Where the header was intact, its checksum still tells whether it is, and must not differ for nothing.
    let isIntact = checksum(Array(packet[0..<20])) == 0
    packet[4] = 0
    packet[5] = 0
    if isIntact { (packet[10], packet[11]) = (0, 0) }
    return packet
  }

  /// One packet in three stays whole; most others get right checksums again.
  static func spoil(_ good: [UInt8], _ random: inout Random) -> [UInt8] {
    var packet = good
    for _ in 0..<random.below(3) {
      let place = random.below(5) == 0 ? random.below(packet.count) : random.below(44)
      packet[place] = random.below(2) == 0 ? UInt8(random.below(256)) : packet[place] ^ (1 << random.below(8))
    }
    if random.below(4) > 0 { mend(&packet) }
    if random.below(16) == 0 { packet.removeLast(random.below(packet.count)) }
    return packet
  }

  static func mend(_ packet: inout [UInt8]) {
    func seal(_ place: Int, _ sum: UInt16) {
      packet[place] = UInt8(sum >> 8)
      packet[place + 1] = UInt8(sum & 255)
    }
    seal(10, 0)
    seal(10, checksum(Array(packet[0..<20])))
    seal(36, 0)
    let length = packet.count - 20
    let pseudo = Array(packet[12..<20]) + [0, 6, UInt8(length >> 8), UInt8(length & 255)]
    seal(36, checksum(pseudo + Array(packet[20...])))
  }

  static func offload(_ random: inout Random) -> Offload {
    var offload = Offload()
    guard random.below(6) == 0 else { return offload }
    offload = random.below(2) == 0 ? Data.partial : offload
    switch random.below(5) {
    case 0: offload.flags = UInt8(random.below(256))
    case 1: offload.gsoType = UInt8(random.below(256))
    case 2: offload.gsoSize = UInt16(random.below(65_536))
    case 3: offload.checksumStart = UInt16(random.below(65_536))
    default: offload.checksumOffset = UInt16(random.below(65_536))
    }
    return offload
  }
}
