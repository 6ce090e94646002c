import Dataplane
import HostAgent
import Testing
import Wire

/// Monitor and VM talk to one another packet by packet, the VM's packets through the host agent as in life.
@Suite("Health monitor")
struct HealthMonitorTests {
  /// What a VM answers to a probe's packet.
  enum Behaviour: Sendable { case accepts, refuses, isSilent, serves(String) }

  static func answers(_ packet: [UInt8], _ behaviour: Behaviour) -> [[UInt8]] {
    let tuple = Reference.tuple(packet)
    let flags = packet[33]
    let length = packet.count - 20 - Int(packet[32] >> 4) * 4
    let number = UInt32(Reference.word(packet, 24)) << 16 | UInt32(Reference.word(packet, 26))
    let ack = UInt32(Reference.word(packet, 28)) << 16 | UInt32(Reference.word(packet, 30))
    func answer(_ flags: UInt8, _ sequence: UInt32, _ next: UInt32, _ text: String = "") -> [UInt8] {
      var reply = Packet(
        source: tuple.destination, destination: tuple.source, sourcePort: tuple.destinationPort,
        destinationPort: tuple.sourcePort, flags: flags, sequence: sequence, payload: Array(text.utf8))
      reply.isPartial = false
      var bytes = reply.bytes
      bytes.replaceSubrange(28..<32, with: next.octets)
      return bytes
    }
    if flags & 0x02 != 0 {
      switch behaviour {
      case .isSilent: return []
      case .refuses: return [answer(0x14, 0, number &+ 1)]
      case .accepts, .serves: return [answer(0x12, 100, number &+ 1)]
      }
    }
    if case .serves(let text) = behaviour, length > 0 {
      return [answer(0x19, ack, number &+ UInt32(length), text)]
    }
    return flags & 0x01 != 0 ? [answer(0x11, ack, number &+ 1)] : []
  }

  /// Lets time pass; returns what changed.
  static func pass(
    _ milliseconds: UInt64, _ monitor: inout HealthMonitor, _ bench: inout Bench, now: inout UInt64,
    _ behaviour: Behaviour
  ) -> [String] {
    var changes: [String] = []
    let end = now + milliseconds
    while now < end {
      now += 50
      var outputs = monitor.handle(.tick, now: now)
      while !outputs.isEmpty {
        let output = outputs.removeFirst()
        switch output {
        case .healthChanged(let result):
          changes.append("\(result.isHealthy ? "up" : "down"): \(result.reason)")
        case .transmit(let machine, let packet):
          #expect(machine == 3 && Reference.faults(packet).isEmpty)
          for answer in answers(packet, behaviour) {
            #expect(bench.outbound(answer, from: machine).isPassed)
            outputs += monitor.handle(.packet(answer, from: machine), now: now)
          }
        }
      }
    }
    return changes
  }

  static let stories: [(ProbeTarget.Method, Behaviour, String)] = [
    (.tcp, .accepts, "up: connection accepted"), (.tcp, .refuses, "down: connection refused"),
    (.tcp, .isSilent, "down: timed out"), (.http(path: "/"), .isSilent, "down: timed out"),
    (.http(path: "/"), .accepts, "down: timed out"),
    (.http(path: "/"), .serves("HTTP/1.1 200 OK\r\n\r\n"), "up: status 200"),
    (.http(path: "/"), .serves("HTTP/1.1 500 Oops\r\n\r\n"), "down: status 500"),
    (.http(path: "/"), .serves("HTTP/1.1"), "down: connection closed without an answer"),
  ]

  @Test("A VM is asked and what it does is reported once", arguments: stories)
  func story(method: ProbeTarget.Method, behaviour: Behaviour, expected: String) {
    var monitor = HealthMonitor(seed: 7)
    var bench = Bench()
    var now: UInt64 = 0
    _ = monitor.handle(.configure([ProberTests.target(1, method)]), now: now)
    #expect(Self.pass(20_000, &monitor, &bench, now: &now, behaviour) == [expected])
  }

  @Test("A VM that stops and comes back is noticed within interval × threshold + time-out")
  func comesAndGoes() {
    var monitor = HealthMonitor(seed: 7)
    var bench = Bench()
    var now: UInt64 = 0
    _ = monitor.handle(.configure([ProberTests.target()]), now: now)
    #expect(Self.pass(4000, &monitor, &bench, now: &now, .accepts) == ["up: connection accepted"])
    #expect(Self.pass(5050, &monitor, &bench, now: &now, .isSilent) == ["down: timed out"])
    #expect(Self.pass(4050, &monitor, &bench, now: &now, .accepts) == ["up: connection accepted"])
  }
}
