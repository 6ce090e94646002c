import CMallocCount
import HostAgent
import Testing

@Suite("Load of leased ports", .serialized)
struct PortLoadTests {
  /// Of one of `count` steps, in chunks of 500: the median chunk, since other programs run, too.
  static func nanoseconds(_ count: Int, _ step: (Int) -> Void) -> Double {
    let clock = ContinuousClock()
    var chunks: [Double] = []
    for first in stride(from: 0, to: count, by: 500) {
      let time = clock.measure { for number in first..<(first + 500) { step(number) } }
      chunks.append(Double(time.components.attoseconds) / 1e9 / 500)
    }
    return chunks.sorted()[chunks.count / 2]
  }

  @Test("50,000 connections to 4 remote ends take 12,500 ports, no more, and each finds its own at once")
  func exact() {
    var load = PortLoad()
    load.lease(ports: 12_504)
    var ports = [UInt16](repeating: 0, count: 50_000)
    let opening = Self.nanoseconds(50_000) { number in
      ports[number] = load.send(number & 3, UInt16(1_024 + number >> 2), flags: 0x02)
    }
    #expect(ports.allSatisfy { $0 != 0 })
    #expect(load.agent.portStatus(3).portsInUse <= 12_504 && load.agent.portStatus(3).flows == 50_000)
    for remote in 0..<4 {
      #expect(Set(stride(from: remote, to: 50_000, by: 4).map { ports[$0] }).count == 12_500)
    }
    var delivered = 0
    for number in 0..<50_000 where load.receive(number & 3, ports[number], flags: 0x12) { delivered += 1 }
    #expect(delivered == 50_000)
    let knownOut = Self.nanoseconds(200_000) { step in
      let number = step &* 7_919 % 50_000
      if load.send(number & 3, UInt16(1_024 + number >> 2), flags: 0x10) != ports[number] { delivered = 0 }
    }
    let knownIn = Self.nanoseconds(200_000) { step in
      let number = step &* 7_919 % 50_000
      if !load.receive(number & 3, ports[number], flags: 0x10) { delivered = 0 }
    }
    #expect(delivered == 50_000)
    // One of ten ends; their ports are the only ones free, and all are found.
    for number in stride(from: 0, to: 50_000, by: 10) {
      _ = load.receive(number & 3, ports[number], flags: 0x04)
    }
    for _ in 0..<2_000 { load.agent.sweep(now: 10_001, budget: 256) }
    var reopened = 0
    let reopening = Self.nanoseconds(5_000) { step in
      let port = UInt16(20_000 + step * 10 >> 2)
      if load.send(step * 10 & 3, port, flags: 0x02, now: 10_001) != 0 { reopened += 1 }
    }
    #expect(reopened == 5_000 && load.agent.portStatus(3).portsInUse <= 12_504)
    print(
      "50,000 flows on 12,500 ports: new \(Int(opening)) ns, new in a gap \(Int(reopening)) ns, known out",
      "\(Int(knownOut)) ns, known in \(Int(knownIn)) ns")
  }

  @Test("one connection, as a measure of the rest")
  func single() {
    var load = PortLoad()
    load.lease(ports: 8)
    let port = load.send(0, 5_000, flags: 0x02)
    #expect(port != 0 && load.receive(0, port, flags: 0x12))
    var wrong = 0
    let out = Self.nanoseconds(200_000) { _ in
      if load.send(0, 5_000, flags: 0x10) != port { wrong += 1 }
    }
    let back = Self.nanoseconds(200_000) { _ in
      if !load.receive(0, port, flags: 0x10) { wrong += 1 }
    }
    #expect(wrong == 0)
    print("one flow: known out \(Int(out)) ns, known in \(Int(back)) ns")
  }

  @Test("nothing is allocated, whatever comes")
  func allocations() {
    var load = PortLoad()
    load.lease(ports: 64)
    // Without optimisation the runtime makes the types of generic code at their first use.
    _ = load.send(0, 1, flags: 0x02)
    _ = load.receive(0, 1_024, flags: 0x12)
    _ = load.agent.takePortRequest()
    _ = load.agent.takeReturnedRange()
    _ = load.agent.takeHeld()
    let control = malloc_count()
    let probe = [UInt8](repeating: 1, count: Int(load.agent.portStatus(3).ranges) + 100)
    #expect(probe.count > 100 && malloc_count() > control, "the counter counts")
    let before = malloc_count()
    var round: UInt32 = 0
    while round < 20_000 {
      defer { round += 1 }
      let port = UInt16(truncatingIfNeeded: 2 &+ round % 200)
      let leased = load.send(Int(round & 3), port, flags: 0x02, now: round)
      _ = load.send(Int(round & 3), port, flags: 0x10, now: round)
      if leased != 0 {
        _ = load.receive(Int(round & 3), leased, flags: round % 5 == 0 ? 0x04 : 0x12, now: round)
      }
      load.agent.sweep(now: round, budget: 64)
      _ = load.agent.takePortRequest()
      _ = load.agent.takeReturnedRange()
      if round % 1_000 == 0 { load.agent.refuse(machine: 3, now: round, retryAfterMilliseconds: 10) }
      if round % 1_500 == 0 { load.agent.lease(Bench.range(8), to: 3, now: round) }
      if round % 2_500 == 0 { load.agent.recall(Bench.range(8), machine: 3, now: round) }
      if round % 3_500 == 0 { _ = load.agent.withdraw(Bench.range(8), machine: 3) }
      while load.agent.takeHeld() != nil {}
    }
    #expect(malloc_count() == before)
  }
}
