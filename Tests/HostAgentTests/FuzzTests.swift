import Dataplane
import HostAgent
import Testing
import Wire

/// Mutated packets, through everything a worker would send them through.
@Suite("Fuzz")
struct FuzzTests {
  static let long = [UInt8](repeating: 1, count: 3000)
  static let inboundSeeds: [[UInt8]] = [
    Packet.wrapped(Packet(flags: 0x02, options: [2, 4, 0xff, 0xff, 1, 3, 3, 7], payload: []).bytes),
    Packet.wrapped(Packet(isPartial: true).bytes),
    Packet.wrapped(Packet(proto: .udp, destinationPort: 53).bytes),
    Packet.wrapped(Packet(payload: long, isPartial: true).bytes),
    Packet.wrapped(Packet(proto: .udp, destinationPort: 53, payload: long, isPartial: true).bytes),
    Packet.wrapped(Packet.error(from: router, to: vip, quoting: ICMPErrorTests.quoted(.tcp).bytes)),
    Packet.wrapped(Packet.error(from: router, to: vip, quoting: ICMPErrorTests.quoted(.udp).bytes)),
  ]
  static let outboundSeeds: [[UInt8]] = [
    OutboundTests.reply(0x12, options: [2, 4, 0xff, 0xff]).bytes,
    OutboundTests.reply(isPartial: true).bytes,
    OutboundTests.reply(proto: .udp).bytes,
    OutboundTests.reply(to: HostAgent.probeSource).bytes,
    Packet.error(
      from: dip, to: client, quoting: Packet(destination: dip, destinationPort: 8080, payload: []).bytes,
      count: 40),
    Packet(
      source: dip, destination: client, sourcePort: 8080, destinationPort: 40_000, payload: long,
      isPartial: true
    ).bytes,
  ]

  /// What the fuzz met; every kind must have been met often, or it tests nothing.
  struct Tally {
    var accepted = 0
    var dropped = 0
    var segments = 0
    var superPackets = 0
    var broken = 0
  }

  /// Splits what was let through, and checks that every piece lies within it.
  static func split(
    _ mutator: inout Mutator, _ offset: Int, _ count: Int, _ offload: Offload, _ tally: inout Tally
  ) {
    let made = mutator.withSpan { Segmenter($0, offset: offset, byteCount: count, offload: offload) }
    guard var segmenter = made else { return }
    if offload.isSuperPacket { tally.superPackets += 1 }
    var pieces = 0
    while let segment = mutator.withSpan({ segmenter.next($0) }) {
      pieces += 1
      let isInside = segment.offset >= offset && segment.offset + segment.byteCount <= offset + count
      if !isInside || segment.byteCount <= 0 { tally.broken += 1 }
    }
    if pieces != segmenter.count || pieces > Segmenter.mostSegments { tally.broken += 1 }
    tally.segments += pieces
  }

  static func address(_ mutator: Mutator, _ offset: Int) -> IPv4Address {
    IPv4Address(
      mutator.byte(offset), mutator.byte(offset + 1), mutator.byte(offset + 2), mutator.byte(offset + 3))
  }

  @Test("600,000 packets inbound: none breaks anything, what passes goes to a DIP")
  func inbound() {
    var bench = Bench(flowCapacity: 4096)
    var mutator = Mutator(Self.inboundSeeds, transport: 40, seed: 4)
    var tally = Tally()
    for _ in 0..<600_000 {
      mutator.advance()
      bench.now &+= 1
      var offload = mutator.offload
      let count = mutator.byteCount
      let now = bench.now
      let verdict = mutator.withSpan {
        bench.agent.inbound($0, byteCount: count, offload: &offload, now: now)
      }
      guard case .deliver(let machine, let offset, let byteCount) = verdict else {
        tally.dropped += 1
        continue
      }
      tally.accepted += 1
      let isRight = machine == 3 && offset == 20 && byteCount >= 28 && byteCount <= count - 20
      if !isRight || Self.address(mutator, 36) != dip { tally.broken += 1 }
      Self.split(&mutator, offset, byteCount, offload, &tally)
    }
    #expect(tally.broken == 0)
    #expect(tally.accepted > 100_000 && tally.dropped > 100_000 && tally.superPackets > 10_000, "\(tally)")
  }

  @Test("600,000 packets outbound: what passes has the VIP as source, never the DIP")
  func outbound() {
    var bench = Bench(flowCapacity: 4096)
    for seed in Self.inboundSeeds { _ = bench.inbound(seed) }
    _ = bench.inbound(Packet.wrapped(Packet(proto: .udp, destinationPort: 53).bytes))
    var mutator = Mutator(Self.outboundSeeds, transport: 20, seed: 5)
    var tally = Tally()
    for _ in 0..<600_000 {
      mutator.advance()
      var offload = mutator.offload
      let count = mutator.byteCount
      let now = bench.now
      let verdict = mutator.withSpan {
        bench.agent.outbound($0, byteCount: count, from: 3, offload: &offload, now: now)
      }
      guard case .transmit(let offset, let byteCount) = verdict else {
        tally.dropped += 1
        continue
      }
      tally.accepted += 1
      if offset != 0 || byteCount > count || Self.address(mutator, 12) != vip { tally.broken += 1 }
      Self.split(&mutator, offset, byteCount, offload, &tally)
    }
    #expect(tally.broken == 0)
    #expect(tally.accepted > 100_000 && tally.dropped > 100_000 && tally.superPackets > 10_000, "\(tally)")
  }

  @Test("300,000 packets straight into the segmenter, whatever the device says of them")
  func segmenter() {
    var mutator = Mutator(Self.inboundSeeds, transport: 40, seed: 6)
    var tally = Tally()
    for round in 0..<300_000 {
      mutator.advance()
      let offset = round % 97 == 0 ? Int(mutator.byte(0)) - 128 : 0
      let offload = mutator.offload
      Self.split(&mutator, offset, mutator.byteCount, offload, &tally)
    }
    #expect(tally.broken == 0)
    #expect(tally.superPackets > 10_000, "\(tally)")
  }
}
