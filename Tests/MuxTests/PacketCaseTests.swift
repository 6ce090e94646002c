import Dataplane
import PacketBuilder
import Testing
import Wire

@Suite struct PacketCaseTests {
  @Test func thereAreEnough() {
    #expect(PacketCase.all.count == 92)
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
      try checkEncapsulated(example, output, bench.map)
      #expect(bench.counters.backends(bench.map).map(\.packets).reduce(0, +) == 1)
    }
    #expect(bench.counters[.packets] == 1)
    #expect(bench.counters[.bytes] == UInt64(example.packet.count))
  }

  /// The outer header as the builder would write it, the inner packet untouched, the offload shifted.
  func checkEncapsulated(_ example: PacketCase, _ output: Bench.Output, _ map: VIPMap) throws {
    let inner = [UInt8](example.packet.prefix(Int(example.packet[2]) << 8 | Int(example.packet[3])))
    let outer = output.bytes
    let locator = IPv4Address(outer[16], outer[17], outer[18], outer[19])
    #expect(Bench.locators.contains(locator))
    let dontFragment = inner[6] & 0x40 != 0
    let expected = IPv4(
      Bench.address, locator, typeOfService: inner[1],
      identification: dontFragment ? 0 : UInt16(inner[4]) << 8 | UInt16(inner[5]), dontFragment: dontFragment,
      timeToLive: 64, proto: 4)
    #expect(outer == expected.over(inner))
    #expect(map.backend(of: try connection(of: inner)) == locator)
    var offload = example.offload
    if offload.isPartial { offload.checksumStart += 20 }
    if offload.headerLength > 0 { offload.headerLength += 20 }
    #expect("\(output.offload)" == "\(offload)")
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
