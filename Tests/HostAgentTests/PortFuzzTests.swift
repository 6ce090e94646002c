import Dataplane
import HostAgent
import Testing
import Wire

/// Mutated packets of a VM that has leased ports, and mutated answers.
@Suite("Fuzz of leased ports")
struct PortFuzzTests {
  static let outboundSeeds: [[UInt8]] = [
    Bench.sent(options: [2, 4, 0xff, 0xff, 1, 3, 3, 7]).bytes, Bench.sent(isPartial: true).bytes,
    Bench.sent(.tcp, 0x18, to: router).bytes, Bench.sent(.udp).bytes, Bench.sent(.icmp).bytes,
    Packet.error(
      from: dip, to: client, quoting: Packet(source: client, destination: dip, sourcePort: 443).bytes,
      count: 40),
    Packet.error(from: dip, to: client, quoting: Packet.ip(client, dip, .icmp, Bench.echo(0, 5000))),
  ]

  static func hasPorts(_ mutator: Mutator, _ offset: Int) -> Bool {
    [IPProtocol.tcp, .udp].contains(IPProtocol(mutator.byte(offset)))
  }

  static func port(_ mutator: Mutator, _ offset: Int) -> UInt16 {
    UInt16(mutator.byte(offset)) << 8 | UInt16(mutator.byte(offset + 1))
  }

  /// Whether a port is one of a hundred ranges, or that of an endpoint.
  static func mayLeave(by port: UInt16) -> Bool { (1024..<1824).contains(port) || port == 80 || port == 53 }

  @Test("300,000 packets: none leaves with another source than the VIP and its ports")
  func outbound() {
    var bench = Bench(flowCapacity: 4096)
    bench.lease(100)
    var mutator = Mutator(Self.outboundSeeds, transport: 20, seed: 7)
    var (accepted, dropped, held, broken) = (0, 0, 0, 0)
    for round in 0..<300_000 {
      mutator.advance()
      if round % 64 == 0 { bench.now &+= 20 }
      if round % 64 == 0 { bench.agent.sweep(now: bench.now, budget: 256) }
      var offload = mutator.offload
      let count = mutator.byteCount
      let now = bench.now
      let verdict = mutator.withSpan {
        bench.agent.outbound($0, byteCount: count, from: 3, offload: &offload, now: now)
      }
      switch verdict {
      case .transmit(let offset, let byteCount):
        accepted += 1
        if offset != 0 || byteCount > count || FuzzTests.address(mutator, 12) != vip { broken += 1 }
        if Self.hasPorts(mutator, 9), !Self.mayLeave(by: Self.port(mutator, 20)) { broken += 1 }
      case .hold(let slot):
        held += 1
        if !(0..<256).contains(slot) { broken += 1 }
      case .drop: dropped += 1
      case .pass: break
      case .deliver: broken += 1
      }
    }
    #expect(broken == 0)
    #expect(accepted > 50_000 && dropped > 50_000, "\(accepted), \(dropped), \(held)")
  }

  @Test("300,000 answers: none reaches the VM but by its DIP and a port that it has used")
  func inbound() {
    var bench = Bench(flowCapacity: 4096)
    bench.lease(1)
    let fates = ConnectTests.protocols.map { bench.outbound(Bench.sent($0).bytes) }
    var seeds = fates.map { Bench.answer($0) }
    seeds += fates.map { Packet.wrapped(Packet.error(from: router, to: vip, quoting: $0.bytes)) }
    var mutator = Mutator(seeds, transport: 40, seed: 8)
    var (accepted, dropped, broken) = (0, 0, 0)
    for round in 0..<300_000 {
      mutator.advance()
      // Half of what they live for, all in all.
      if round % 10_000 == 0 { bench.now &+= 1_000 }
      if round % 64 == 0 { bench.agent.sweep(now: bench.now, budget: 256) }
      var offload = mutator.offload
      let count = mutator.byteCount
      let now = bench.now
      let verdict = mutator.withSpan {
        bench.agent.inbound($0, byteCount: count, offload: &offload, now: now)
      }
      switch verdict {
      case .deliver(let machine, let offset, let byteCount):
        accepted += 1
        if machine != 3 || offset != 20 || byteCount > count - 20 { broken += 1 }
        if FuzzTests.address(mutator, 36) != dip { broken += 1 }
        if Self.hasPorts(mutator, 29), Self.port(mutator, 42) != 5000 { broken += 1 }
      case .drop: dropped += 1
      default: broken += 1
      }
    }
    #expect(broken == 0 && accepted > 50_000 && dropped > 50_000, "\(accepted), \(dropped)")
  }
}
