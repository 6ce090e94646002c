import Dataplane
import Mux
import PacketBuilder
import Testing
import Wire

@Suite struct PacketCaseTests {
  @Test func thereAreEnough() {
    #expect(PacketCase.all.count == 122)
    #expect(Set(PacketCase.all.map(\.name)).count == PacketCase.all.count)
  }

  @Test(arguments: PacketCase.all)
  func frameInFrameOut(_ example: PacketCase) throws {
    var bench = Bench()
    let output = bench.send(example.packet, offload: example.offload)
    switch example.outcome {
    case .drop(let reason):
      guard case .drop(reason) = output.verdict else { throw Unexpected(output.verdict) }
      #expect(bench.counters.drops == [reason: 1])
    case .pass:
      guard case .pass = output.verdict else { throw Unexpected(output.verdict) }
      #expect(output.memory == FrameBuffer(example.packet).memory)
    case .reply(let packet):
      guard case .transmit = output.verdict else { throw Unexpected(output.verdict) }
      #expect(output.bytes == packet.bytes)
      #expect(!output.offload.isSuperPacket && !output.offload.isPartial)
    case .encapsulated:
      guard case .transmit(offset: -20, _) = output.verdict else { throw Unexpected(output.verdict) }
      let inner = Self.inner(example.packet)
      guard let locator = bench.map.backend(of: try connection(of: inner)) else {
        throw Unexpected(output.verdict)
      }
      #expect(Bench.locators.contains(locator))
      checkEncapsulated(example, output, to: locator)
      #expect(bench.counters.backends(bench.map).map(\.packets).reduce(0, +) == 1)
      #expect(bench.counters.vips(bench.map) == [])
    case .leased(let locator):
      guard case .transmit(offset: -20, _) = output.verdict else { throw Unexpected(output.verdict) }
      checkEncapsulated(example, output, to: locator)
      #expect(bench.counters.backends(bench.map).map(\.packets).reduce(0, +) == 0)
      let bytes = UInt64(Self.inner(example.packet).count)
      let vip = IPv4Address(example.packet[16], example.packet[17], example.packet[18], example.packet[19])
      #expect(bench.counters.vips(bench.map) == [VIPCount(vip: vip, packets: 1, bytes: bytes)])
      #expect(bench.mux.recordCount == 0)
    }
    #expect(bench.counters[.packets] == 1)
    #expect(bench.counters[.bytes] == UInt64(example.packet.count))
  }

  /// The outer header as the builder would write it, the inner packet untouched, the offload shifted.
  func checkEncapsulated(_ example: PacketCase, _ output: Bench.Output, to locator: IPv4Address) {
    let inner = Self.inner(example.packet)
    let dontFragment = inner[6] & 0x40 != 0
    let expected = IPv4(
      Bench.address, locator, typeOfService: inner[1],
      identification: dontFragment ? 0 : UInt16(inner[4]) << 8 | UInt16(inner[5]), dontFragment: dontFragment,
      timeToLive: 64, proto: 4)
    #expect(output.bytes == expected.over(inner))
    var offload = example.offload
    if offload.isPartial { offload.checksumStart += 20 }
    if offload.headerLength > 0 { offload.headerLength += 20 }
    #expect("\(output.offload)" == "\(offload)")
  }

  /// Without padding.
  static func inner(_ packet: [UInt8]) -> [UInt8] {
    [UInt8](packet.prefix(Int(packet[2]) << 8 | Int(packet[3])))
  }

  /// The five-tuple, read by plain indexing.
  func connection(of inner: [UInt8]) throws -> FiveTuple {
    func port(_ place: Int) -> UInt16 { UInt16(inner[place]) << 8 | UInt16(inner[place + 1]) }
    func address(_ place: Int) -> IPv4Address {
      IPv4Address(inner[place], inner[place + 1], inner[place + 2], inner[place + 3])
    }
    if inner[9] == 1 {
      return FiveTuple(
        source: address(44), destination: address(40), sourcePort: port(50), destinationPort: port(48),
        proto: IPProtocol(inner[37]))
    }
    return FiveTuple(
      source: address(12), destination: address(16), sourcePort: port(20), destinationPort: port(22),
      proto: IPProtocol(inner[9]))
  }
}

/// A verdict that the case did not foresee.
struct Unexpected: Error, CustomStringConvertible {
  let description: String
  init(_ verdict: Verdict) { description = "\(verdict)" }
}
