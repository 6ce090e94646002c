import Dataplane
import Foundation
import HostAgent
import Testing
import Wire

/// Wireshark's dissector as judge, where `tshark` is installed.
@Suite("Dissector")
struct DissectorTests {
  static let tshark = "/usr/bin/tshark"
  static let isInstalled = FileManager.default.isExecutableFile(atPath: tshark)

  /// A capture file of bare IPv4 packets (link type 101, raw).
  static func capture(_ packets: [[UInt8]]) -> Data {
    func little(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
    var data = Data(
      little(0xa1b2_c3d4) + [2, 0, 4, 0] + little(0) + little(0) + little(262_144) + little(101))
    for (number, packet) in packets.enumerated() {
      let count = UInt32(packet.count)
      data.append(contentsOf: little(UInt32(number)) + little(0) + little(count) + little(count) + packet)
    }
    return data
  }

  /// The numbers of the packets that the dissector complains of.
  static func complaints(_ packets: [[UInt8]]) throws -> [Int] {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("ananta-\(ProcessInfo.processInfo.globallyUniqueString).pcap")
    try capture(packets).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: tshark)
    process.arguments = [
      "-n", "-r", file.path, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-o",
      "udp.check_checksum:TRUE", "-T", "fields", "-e", "frame.number", "-Y",
      "_ws.malformed || _ws.short || ip.checksum.status == 0 || tcp.checksum.status == 0"
        + " || udp.checksum.status == 0 || icmp.checksum.status == 0 || ip.bogus_ip_length",
    ]
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    return text.split(separator: "\n").compactMap { Int($0) }
  }

  /// All segments of a packet, encapsulated or not.
  static func segments(_ packet: [UInt8], _ offload: Offload) -> [[UInt8]] {
    var memory = [UInt8](repeating: 0, count: Frame.headroom) + packet
    memory += [UInt8](repeating: 0, count: Frame.guaranteed)
    func lent<Result>(_ body: (consuming MutableRawSpan) -> Result) -> Result {
      var span = memory.mutableSpan
      return unsafe body(span.mutableBytes)
    }
    let made = lent { Segmenter($0, offset: 0, byteCount: packet.count, offload: offload) }
    guard var segmenter = made else { return [] }
    var result: [[UInt8]] = []
    while let segment = lent({ segmenter.next($0) }) {
      let first = Frame.headroom + segment.offset
      result.append(Array(memory[first..<(first + segment.byteCount)]))
    }
    return result
  }

  /// What comes out of the agent and the segmenter, of every kind.
  static func outputs() -> [[UInt8]] {
    var bench = Bench(flowCapacity: 1 << 14)
    var numbers = Seeded(state: 42)
    var packets: [[UInt8]] = []
    for _ in 0..<2000 {
      var (packet, locator, machine) = RoundTripTests.random(&numbers)
      packet.options = packet.options.isEmpty ? [] : [1, 2, 4, 0x05, 0xb4, 1, 1, 0]
      packet.isPartial = false
      let received = bench.inbound(Packet.wrapped(packet.bytes, to: locator)).bytes
      var reply = RoundTripTests.reply(to: received, &numbers)
      reply.isPartial = false
      let sent = bench.outbound(reply.bytes, from: machine).bytes
      var quoted = packet
      quoted.source = packet.destination
      quoted.destination = packet.source
      quoted.sourcePort = packet.destinationPort
      quoted.destinationPort = packet.sourcePort
      let error = Packet.error(from: router, to: packet.destination, quoting: quoted.bytes, count: 40)
      let delivered = bench.inbound(Packet.wrapped(error, to: locator)).bytes
      packets += [received, sent, delivered]
    }
    for proto in [IPProtocol.tcp, .udp] {
      let whole = Packet(
        proto: proto, destinationPort: proto == .tcp ? 80 : 9999, payload: numbers.bytes(20_000),
        isPartial: true)
      packets += segments(Packet.wrapped(whole.bytes), whole.offload(at: 40, size: 1440))
      packets += segments(whole.bytes, whole.offload(at: 20, size: 1400))
    }
    return packets
  }

  @Test("tshark finds nothing wrong with what comes out", .enabled(if: isInstalled))
  func clean() throws {
    let packets = Self.outputs()
    #expect(packets.count == 6000 + 14 + 15 + 14 + 15)
    #expect(packets.allSatisfy { !$0.isEmpty })
    #expect(try Self.complaints(packets) == [])
  }

  @Test("and does find what is wrong", .enabled(if: isInstalled))
  func spoilt() throws {
    var segment = Packet().bytes
    segment[45] ^= 1
    var header = Packet().bytes
    header[8] ^= 1
    var error = Packet.error(from: router, to: vip, quoting: Packet().bytes)
    error[30] ^= 1
    #expect(try Self.complaints([Packet().bytes, segment, header, error]) == [2, 3, 4])
  }
}
