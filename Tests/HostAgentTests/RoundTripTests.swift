import Dataplane
import HostAgent
import Testing
import Wire

/// Numbers that are the same in every run (splitmix64).
struct Seeded: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
  mutating func chance(_ share: UInt64) -> Bool { next() % share == 0 }
  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

@Suite("Round trip")
struct RoundTripTests {
  /// A packet of some client to one of the standard endpoints.
  static func random(_ numbers: inout Seeded) -> (Packet, IPv4Address, UInt32) {
    let isUDP = numbers.chance(3)
    let isSecond = !isUDP && numbers.chance(2)
    var packet = Packet()
    packet.source = IPv4Address(
      198, 51, UInt8.random(in: 0...255, using: &numbers), UInt8.random(in: 0...255, using: &numbers))
    packet.sourcePort = UInt16.random(in: 1...UInt16.max, using: &numbers)
    packet.proto = isUDP ? .udp : .tcp
    packet.destination = isSecond ? vip2 : vip
    packet.destinationPort = isUDP ? 53 : 80
    packet.flags = numbers.chance(4) ? 0x02 : 0x10
    packet.options = isUDP || numbers.chance(2) ? [] : [1, 2, 4] + numbers.bytes(2) + [1, 1, 0]
    packet.payload = numbers.bytes(Int.random(in: 0...64, using: &numbers))
    packet.service = UInt8.random(in: 0...255, using: &numbers)
    packet.isPartial = numbers.chance(4)
    packet.hasChecksum = packet.isPartial || !isUDP || !numbers.chance(8)
    return (packet, isSecond ? locator2 : locator1, isSecond ? 7 : 3)
  }

  /// The VM's reply to what it received: addresses and ports swapped, something else to say.
  static func reply(to received: [UInt8], _ numbers: inout Seeded) -> Packet {
    let tuple = Reference.tuple(received)
    var reply = Packet()
    reply.source = tuple.destination
    reply.destination = tuple.source
    reply.sourcePort = tuple.destinationPort
    reply.destinationPort = tuple.sourcePort
    reply.proto = tuple.proto
    reply.flags = 0x12
    reply.payload = numbers.bytes(Int.random(in: 0...64, using: &numbers))
    reply.isPartial = numbers.chance(3)
    return reply
  }

  @Test("What a client gets back is what it asked, reversed, and all sums are right: 100,000 times")
  func reversed() {
    var bench = Bench(flowCapacity: 1 << 18)
    var numbers = Seeded(state: 2013)
    var failures = 0
    for _ in 0..<100_000 {
      let (packet, locator, machine) = Self.random(&numbers)
      let received = bench.inbound(
        Packet.wrapped(packet.bytes, to: locator, service: packet.service & 3),
        offload: packet.offload(at: 40))
      let reply = Self.reply(to: received.bytes.isEmpty ? packet.bytes : received.bytes, &numbers)
      let sent = bench.outbound(reply.bytes, from: machine, offload: reply.offload)
      let isRight =
        received.machine == machine && received.tuple.destination == dip
        && Reference.faults(received.bytes, isPartial: packet.isPartial).isEmpty && sent.isTransmitted
        && sent.tuple == Reference.tuple(packet.bytes).reversed
        && Reference.faults(sent.bytes, isPartial: reply.isPartial).isEmpty
      failures += isRight ? 0 : 1
    }
    #expect(failures == 0)
  }

  @Test("Sums that come out as 0 or 0xffff are right, too")
  func edges() {
    var bench = Bench()
    for high in UInt8.min...UInt8.max {
      for low in UInt8.min...UInt8.max {
        let packet = Packet(proto: .udp, destinationPort: 53, payload: [high, low])
        let fate = bench.inbound(Packet.wrapped(packet.bytes))
        guard Reference.word(fate.bytes, 26) != 0, Reference.faults(fate.bytes).isEmpty else {
          Issue.record("payload \(high) \(low): \(Reference.faults(fate.bytes))")
          return
        }
      }
    }
    #expect(bench.agent.counters.machine(3).packetsIn == 65_536)
  }
}
