import HostAgent
import Testing
import Wire

/// A VM's side of a probe's connection, written out segment by segment.
@Suite("Probe connection")
struct ProbeConnectionTests {
  static let sequence: UInt32 = 0xffff_fff0

  static func connection() -> ProbeConnection {
    ProbeConnection(to: dip, port: 8080, from: 33_000, sequence: sequence, now: 1000)
  }

  /// A segment of the VM; numbers count from the start of each side's stream, as tcpdump shows them.
  static func segment(
    _ flags: UInt8, _ relative: UInt32, ack: UInt32, _ payload: String = "", source: IPv4Address = dip,
    port: UInt16 = 33_000
  ) -> ProbeConnection.Input {
    var packet = Packet(
      source: source, destination: HostAgent.probeSource, sourcePort: 8080, destinationPort: port,
      flags: flags, sequence: 5000 &+ relative, payload: Array(payload.utf8))
    packet.isPartial = true
    var bytes = packet.bytes
    bytes.replaceSubrange(28..<32, with: (sequence &+ ack).octets)
    return .packet(bytes)
  }

  /// What was sent, as tcpdump shows it, and what was told.
  static func shown(_ outputs: [ProbeConnection.Output]) -> [String] {
    outputs.map { output in
      switch output {
      case .connected: return "connected"
      case .refused: return "refused"
      case .closed: return "closed"
      case .received(let bytes): return "received \(String(decoding: bytes, as: UTF8.self))"
      case .transmit(let packet):
        #expect(Reference.faults(packet).isEmpty)
        #expect(Reference.address(packet, 12) == HostAgent.probeSource)
        #expect(Reference.tuple(packet).destinationPort == 8080)
        let number = UInt32(Reference.word(packet, 24)) << 16 | UInt32(Reference.word(packet, 26))
        let ack = UInt32(Reference.word(packet, 28)) << 16 | UInt32(Reference.word(packet, 30))
        let names = ["F", "S", "R", "P", "A"].enumerated().filter { packet[33] & (1 << $0.offset) != 0 }
        let text = names.map(\.element).joined()
        let length = packet.count - 20 - Int(packet[32] >> 4) * 4
        return "\(text) \(number &- sequence)+\(length)" + (text.contains("A") ? " ack \(ack &- 5000)" : "")
      }
    }
  }

  static func run(
    _ connection: inout ProbeConnection, _ input: ProbeConnection.Input, at now: UInt64 = 1000
  ) -> [String] {
    shown(connection.handle(input, now: now))
  }

  @Test("Three-way handshake, request, answer, both sides close")
  func whole() {
    var connection = Self.connection()
    #expect(Self.shown(connection.start()) == ["S 0+0"])
    #expect(Self.run(&connection, Self.segment(0x12, 0, ack: 1)) == ["A 1+0 ack 1", "connected"])
    #expect(Self.run(&connection, .send(Array("GET".utf8))) == ["PA 1+3 ack 1"])
    #expect(Self.run(&connection, Self.segment(0x10, 1, ack: 4)) == [])
    #expect(Self.run(&connection, Self.segment(0x18, 1, ack: 4, "HTTP")) == ["A 4+0 ack 5", "received HTTP"])
    #expect(Self.run(&connection, .close) == ["FA 4+0 ack 5"])
    #expect(Self.run(&connection, Self.segment(0x18, 5, ack: 4, "/1.1")) == ["A 5+0 ack 9"])
    #expect(Self.run(&connection, Self.segment(0x11, 9, ack: 5)) == ["A 5+0 ack 10"])
    #expect(connection.isFinished)
    #expect(Self.run(&connection, .tick, at: 9000) == [])
  }

  @Test("Refused by a RST; only one that answers the SYN counts")
  func refused() {
    var connection = Self.connection()
    #expect(Self.run(&connection, Self.segment(0x14, 0, ack: 9)) == [])
    #expect(Self.run(&connection, Self.segment(0x04, 0, ack: 1)) == [])
    #expect(Self.run(&connection, Self.segment(0x14, 0, ack: 1)) == ["refused"])
    #expect(connection.isFinished)
  }

  @Test("Broken by a RST, if it is in order")
  func broken() {
    var connection = Self.connection()
    _ = connection.handle(Self.segment(0x12, 0, ack: 1), now: 1000)
    #expect(Self.run(&connection, Self.segment(0x14, 77, ack: 1)) == [])
    #expect(Self.run(&connection, Self.segment(0x14, 1, ack: 1)) == ["refused"])
  }

  @Test("What is not acknowledged is repeated every 250 ms: SYN, request, FIN; then a RST")
  func repeats() {
    var connection = Self.connection()
    #expect(Self.run(&connection, .tick, at: 1249) == [])
    #expect(Self.run(&connection, .tick, at: 1250) == ["S 0+0"])
    #expect(Self.run(&connection, .tick, at: 1499) == [])
    #expect(Self.run(&connection, .tick, at: 1500) == ["S 0+0"])
    _ = connection.handle(Self.segment(0x12, 0, ack: 1), now: 1500)
    #expect(Self.run(&connection, .tick, at: 2000) == [], "nothing is outstanding")
    _ = connection.handle(.send([1, 2, 3]), now: 2000)
    #expect(Self.run(&connection, .tick, at: 2250) == ["PA 1+3 ack 1"])
    #expect(Self.run(&connection, .close, at: 2300) == ["FA 4+0 ack 1"])
    #expect(Self.run(&connection, .tick, at: 2550) == ["PA 1+3 ack 1"])
    #expect(Self.run(&connection, Self.segment(0x10, 1, ack: 4), at: 2600) == [])
    #expect(Self.run(&connection, .tick, at: 2800) == ["FA 4+0 ack 1"])
    #expect(Self.run(&connection, .tick, at: 3300) == ["RA 5+0 ack 1"])
    #expect(connection.isFinished)
  }

  @Test("Segments out of order, repeated or overlapping are answered with what is expected")
  func order() {
    var connection = Self.connection()
    _ = connection.handle(Self.segment(0x12, 0, ack: 1), now: 1000)
    #expect(Self.run(&connection, Self.segment(0x12, 0, ack: 1)) == ["A 1+0 ack 1"], "its ACK was lost")
    #expect(Self.run(&connection, Self.segment(0x18, 4, ack: 1, "def")) == ["A 1+0 ack 1"])
    #expect(Self.run(&connection, Self.segment(0x18, 1, ack: 1, "abc")) == ["A 1+0 ack 4", "received abc"])
    #expect(Self.run(&connection, Self.segment(0x18, 1, ack: 1, "abc")) == ["A 1+0 ack 4"])
    #expect(
      Self.run(&connection, Self.segment(0x19, 4, ack: 1, "d")) == ["A 1+0 ack 6", "received d", "closed"])
    #expect(Self.run(&connection, Self.segment(0x18, 6, ack: 1, "more")) == ["A 1+0 ack 6"])
  }

  @Test("Nobody else's segments, and nothing that is no segment")
  func others() {
    var connection = Self.connection()
    #expect(Self.run(&connection, Self.segment(0x12, 0, ack: 1, source: router)) == [])
    #expect(Self.run(&connection, Self.segment(0x12, 0, ack: 1, port: 33_001)) == [])
    guard case .packet(let packet) = Self.segment(0x12, 0, ack: 1, "abc") else { return }
    for count in 0..<packet.count {
      #expect(Self.run(&connection, .packet(Array(packet.prefix(count)))) == [])
    }
    var numbers = Seeded(state: 9)
    for _ in 0..<20_000 {
      var spoilt = packet
      spoilt[Int(numbers.next() % 43)] = UInt8(truncatingIfNeeded: numbers.next())
      _ = connection.handle(.packet(spoilt), now: 1000)
    }
    _ = Self.run(&connection, .close)
    #expect(Self.run(&connection, .tick, at: 99_000).count <= 1)
    #expect(connection.isFinished)
  }

  @Test("A VM that goes on talking after the close gets a RST")
  func endless() {
    var connection = Self.connection()
    _ = connection.handle(Self.segment(0x12, 0, ack: 1), now: 1000)
    _ = connection.handle(.close, now: 1000)
    let text = String(repeating: "x", count: 1400)
    var last: [String] = []
    for number in 0..<60 where !connection.isFinished {
      last = Self.run(&connection, Self.segment(0x18, 1 + UInt32(number) * 1400, ack: 2, text))
    }
    #expect(connection.isFinished)
    #expect(last.first?.hasPrefix("RA") == true)
  }
}
