import Glibc
import Platform
import Testing
import Wire

/// What packet sockets let in, how super-packets come out of them, and what they say of those that were lost.
@Suite(.enabled(if: isRoot, "needs root")) struct PacketSocketTests {
  private static let locators = IPv4Prefix(IPv4Address(10, 64, 1, 0), length: 24)
  private static let ours = EncapsulatedPacket(locator: IPv4Address(10, 64, 1, 7))
  private static let other: [UInt8] = [2, 0, 0, 0, 0, 9]

  /// A frame, and whether it is to come in.
  struct Arrival: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var payload = PacketSocketTests.ours.bytes
    var address: [UInt8]?
    var type: [UInt8] = [0x08, 0x00]
    var isTaken = false
  }

  static let arrivals = [
    Arrival(testDescription: "IPIP to a locator", isTaken: true),
    Arrival(
      testDescription: "IPIP to the last locator",
      payload: EncapsulatedPacket(locator: IPv4Address(10, 64, 1, 255)).bytes, isTaken: true),
    Arrival(
      testDescription: "IPIP past the last locator",
      payload: EncapsulatedPacket(locator: IPv4Address(10, 64, 2, 0)).bytes),
    Arrival(testDescription: "not encapsulated", payload: Array(ours.bytes[20...])),
    Arrival(testDescription: "for another machine", address: other),
    Arrival(testDescription: "broadcast", address: [UInt8](repeating: 255, count: 6)),
    Arrival(testDescription: "ARP", type: [0x08, 0x06]),
    Arrival(testDescription: "VLAN 5", type: [0x81, 0x00, 0, 5, 0x08, 0x00]),
    Arrival(testDescription: "priority tag", type: [0x81, 0x00, 0xa0, 0, 0x08, 0x00], isTaken: true),
    Arrival(testDescription: "nothing behind the Ethernet header", payload: [0x45, 0, 0, 40]),
  ]

  @Test(arguments: arrivals) func onlyOursComesIn(_ arrival: Arrival) throws {
    let cable = try PatchCable.lay()
    let socket = try cable.open(.encapsulated(to: Self.locators))
    let marker = EncapsulatedPacket(locator: IPv4Address(10, 64, 1, 99)).bytes
    cable.send(arrival.payload, to: arrival.address, type: arrival.type)
    cable.send(marker)
    #expect(try socket.packets() == (arrival.isTaken ? [arrival.payload, marker] : [marker]))
  }

  @Test func workersShareByLocator() throws {
    let cable = try PatchCable.lay()
    let prefix = Self.locators
    let even = try cable.open(.encapsulated(to: prefix, worker: 0, of: 3))
    let odd = try cable.open(.encapsulated(to: prefix, worker: 2, of: 3))
    for last in UInt8(1)...6 { cable.send(EncapsulatedPacket(locator: IPv4Address(10, 64, 1, last)).bytes) }
    func worker(_ last: UInt8) -> UInt32 { IPv4Address(10, 64, 1, last).number % 3 }
    #expect(try even.packets().map { $0[19] } == (1...6).filter { worker($0) == 0 })
    #expect(try odd.packets().map { $0[19] } == (1...6).filter { worker($0) == 2 })
  }

  @Test func nothingComesInUntilTheFilterIsChanged() throws {
    let cable = try PatchCable.lay()
    let socket = try cable.open(.nothing)
    cable.send(Self.ours.bytes)
    #expect(try socket.packets() == [])
    try socket.setFilter(.encapsulated(to: Self.locators))
    cable.send(Self.ours.bytes)
    #expect(try socket.packets() == [Self.ours.bytes])
    try socket.setFilter(.nothing)
    cable.send(Self.ours.bytes)
    #expect(try socket.packets() == [])
  }

  @Test func whatIsSentDoesNotComeBack() throws {
    let cable = try PatchCable.lay()
    let socket = try cable.open(.encapsulated(to: Self.locators))
    let frame =
      [UInt8](repeating: 0, count: TUN.vnetHeaderByteCount) + Self.other + Self.other + [0x08, 0x00]
      + Self.ours.bytes
    #expect(unsafe write(socket.descriptor.raw, frame, frame.count) == frame.count)
    #expect(try socket.packets() == [])
  }

  @Test func superPacketsComeWhole() throws {
    let cable = try PatchCable.lay()
    try cable.joinSegments()
    let socket = try cable.open(.encapsulated(to: Self.locators))
    var segment = Self.ours
    var data: [UInt8] = []
    var segments: [[UInt8]] = []
    for _ in 0..<40 {
      segment.data = (0..<1400).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ data.count) }
      segments.append(segment.bytes)
      segment.sequence += UInt32(segment.data.count)
      data += segment.data
    }
    for segment in segments { cable.send(segment) }
    // The device lets go of what it holds with every tick of the kernel's clock, so it may be more than one.
    let frames = try socket.frames()
    #expect(frames.flatMap { $0.dropFirst(84) } == data)
    let largest = try #require(frames.max { $0.count < $1.count })
    #expect(largest.count > 84 + 5 * 1400, "\(frames.map(\.count))")
    Self.expectSuperPacket(largest)
  }

  /// A virtio-net header, Ethernet, and two IPv4 headers that say the same of a TCP super-packet.
  private static func expectSuperPacket(_ bytes: [UInt8]) {
    #expect(bytes[0] == 1 && bytes[1] == 1, "VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4")
    func number(_ at: Int) -> UInt16 { UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8 }
    #expect(number(4) == 1400, "gso_size")
    #expect(number(6) == 54, "csum_start counts from the Ethernet header")
    #expect(number(8) == 16, "csum_offset")
    let packet = Array(bytes.dropFirst(24))
    func word(_ at: Int) -> UInt16 { UInt16(packet[at]) << 8 | UInt16(packet[at + 1]) }
    #expect(Int(word(2)) == packet.count && Int(word(22)) == packet.count - 20)
    let length = packet.count - 40
    let pseudo = packet[32..<40] + [0, 6, UInt8(length >> 8), UInt8(length & 255)]
    #expect(word(56) == ~TestPacket.checksum(pseudo), "the pseudo header's sum, not complemented")
  }

  @Test func whatFindsNoRoomIsCounted() throws {
    let cable = try PatchCable.lay()
    let socket = try cable.open(.encapsulated(to: Self.locators), queuedByteCount: 16_384)
    for _ in 0..<200 { cable.send(Self.ours.bytes) }
    cable.send(Array(Self.ours.bytes[20...]))
    let taken = try socket.packets().count
    #expect(taken > 0 && taken < 200)
    #expect(socket.takeDropCount() == UInt64(200 - taken), "what the filter refused is not lost")
    #expect(socket.takeDropCount() == 0)
  }

  @Test func aRemovedDeviceIsSaidOnce() throws {
    let cable = try PatchCable.lay()
    let socket = try cable.open(.encapsulated(to: Self.locators))
    try Command.change(in: cable.receiver.name, "link", "set", PatchCable.device, "down")
    var pool = try FramePool(count: 1)
    guard case .failed(let error) = pool.receive(into: 0, from: socket.handle) else {
      Issue.record("a device that is down says so")
      return
    }
    #expect(error.rawValue == ENETDOWN && !error.isOfOnePacket)
    guard case .wouldBlock = pool.receive(into: 0, from: socket.handle) else {
      Issue.record("it says so once")
      return
    }
    try Command.change(in: cable.receiver.name, "link", "set", PatchCable.device, "up")
    cable.send(Self.ours.bytes)
    #expect(try socket.packets() == [Self.ours.bytes])
  }

  @Test func aPacketThatDoesNotFitIsNotCutOff() throws {
    let cable = try PatchCable.lay()
    let socket = try cable.open(.encapsulated(to: Self.locators))
    cable.send(Self.ours.bytes)
    var small = [UInt8](repeating: 0, count: 40)
    let result = unsafe small.withUnsafeMutableBytes { bytes in unsafe socket.handle.read(into: bytes) }
    guard case .failed(let error) = result else {
      Issue.record("a cut packet was taken for a whole one")
      return
    }
    #expect(error.rawValue == EMSGSIZE && error.isOfOnePacket)
  }

  @Test func aDeviceWithoutEthernetIsRefused() throws {
    let test = try TestNamespace()
    let lo = try Netlink.open(in: test.namespace).link(named: "lo")
    #expect(!lo.isEthernet)
    let error = try #require(throws: PlatformError.self) {
      try test.namespace.run { () throws(PlatformError) in
        _ = try PacketSocket.open(on: lo, filter: .nothing)
      }
    }
    #expect(error.reason == .unsupported)
    #expect("\(error)".contains("device lo"))
  }
}
