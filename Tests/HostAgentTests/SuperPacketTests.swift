import Dataplane
import HostAgent
import Testing
import Wire

/// Packets of up to 64 KB that came whole from the uplink go whole to the VM.
@Suite("Super-packets from the uplink")
struct SuperPacketTests {
  /// The most that the outer header's length can say, and small ones around the size of a segment.
  static let payloads = [1, 1399, 1400, 1401, 60_000, 65_535 - 20 - 40]

  @Test("The VM's device gets a TCP super-packet that counts from the inner header", arguments: payloads)
  func tcp(payload: Int) {
    var bench = Bench()
    let packet = Packet(payload: [UInt8](repeating: 0x5a, count: payload), isPartial: true)
    var offload = packet.offload(at: 40, size: 1400)
    offload.headerLength = UInt16(clamping: packet.bytes.count)
    let fate = bench.inbound(Packet.wrapped(packet.bytes), offload: offload)
    #expect(fate.machine == 3)
    #expect(fate.bytes.count == packet.bytes.count)
    #expect(Reference.faults(fate.bytes, isPartial: true).isEmpty)
    #expect(fate.offload.flags == Offload.needsChecksum && fate.offload.gsoType == Offload.gsoTCPv4)
    #expect(fate.offload.gsoSize == 1400)
    #expect(fate.offload.checksumStart == 20 && fate.offload.checksumOffset == 16)
    #expect(fate.offload.headerLength == 40, "not what lay in one piece in the sender's memory")
  }

  @Test("So is a UDP super-packet", arguments: [1401, 65_535 - 20 - 28])
  func udp(payload: Int) {
    var bench = Bench()
    let packet = Packet(
      proto: .udp, destinationPort: 53, payload: [UInt8](repeating: 0x5a, count: payload), isPartial: true)
    var offload = packet.offload(at: 40, size: 1400)
    offload.headerLength = 60_000
    let fate = bench.inbound(Packet.wrapped(packet.bytes), offload: offload)
    #expect(Reference.faults(fate.bytes, isPartial: true).isEmpty)
    #expect(fate.offload.gsoType == Offload.gsoUDP && fate.offload.gsoSize == 1400)
    #expect(fate.offload.checksumStart == 20 && fate.offload.checksumOffset == 6)
    #expect(fate.offload.headerLength == 28)
  }

  @Test("TCP options and a congestion mark stay with it")
  func details() {
    var bench = Bench()
    let packet = Packet(
      options: [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2], payload: [UInt8](repeating: 1, count: 9000), service: 2,
      isPartial: true)
    var offload = packet.offload(at: 40, size: 1440)
    offload.gsoType |= Offload.gsoECN
    let fate = bench.inbound(Packet.wrapped(packet.bytes, service: 3), offload: offload)
    #expect(fate.bytes[1] & 3 == 3)
    #expect(fate.offload.headerLength == 52)
    #expect(fate.offload.gsoType == Offload.gsoTCPv4 | Offload.gsoECN)
  }

  @Test("What the device's segmenter would give, ours gives where the device has none")
  func segments() throws {
    var bench = Bench()
    let packet = Packet(payload: (0..<5000).map { UInt8(truncatingIfNeeded: $0) }, isPartial: true)
    let fate = bench.inbound(Packet.wrapped(packet.bytes), offload: packet.offload(at: 40, size: 1400))
    var buffer =
      [UInt8](repeating: 0, count: Frame.headroom) + fate.bytes
      + [UInt8](repeating: 0, count: Frame.guaranteed)
    var bytes = buffer.mutableSpan
    var segmenter = try #require(
      unsafe Segmenter(bytes.mutableBytes, offset: 0, byteCount: fate.bytes.count, offload: fate.offload))
    var data: [UInt8] = []
    while let segment = unsafe segmenter.next(bytes.mutableBytes) {
      let first = Frame.headroom + segment.offset
      let whole = (first..<first + segment.byteCount).map { bytes[$0] }
      #expect(Reference.faults(whole).isEmpty)
      data += whole[40...]
    }
    #expect(data == packet.payload)
  }

  @Test("A device that counts from elsewhere is not believed", arguments: [20, 26, 39, 41, 54])
  func wrongStart(start: UInt16) {
    var bench = Bench()
    let packet = Packet(payload: [UInt8](repeating: 1, count: 3000), isPartial: true)
    let fate = bench.inbound(Packet.wrapped(packet.bytes), offload: packet.offload(at: start, size: 1400))
    #expect(fate.reason == .offload)
  }

  @Test("An offload that counts from the Ethernet header counts from the IPv4 header behind it")
  func behind() {
    var offload = Packet(isPartial: true).offload(at: 54, size: 1400)
    let inner = offload.behind(14)
    #expect(inner.checksumStart == 40 && inner.headerLength == 60 && inner.checksumOffset == 16)
    offload.headerLength = 5
    #expect(offload.behind(14).headerLength == 0)
    #expect(Offload().behind(14).checksumStart == 0)
  }
}
