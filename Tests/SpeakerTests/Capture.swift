import Foundation
import Testing

/// All packets of the cable while it exists, judged by Wireshark.
final class Capture {
  /// What Wireshark made of one packet of a BGP connection; empty texts are fields that the packet lacks.
  private struct Packet {
    static let fields = [
      "ip.src", "tcp.len", "ip.dsfield.dscp", "tcp.options.md5.digest", "bgp.type", "bgp.notify.major_error",
      "_ws.malformed", "_ws.expert.severity",
    ]

    let source, length, dscp, signature: String
    let types, notifications, malformed, severities: [String]

    init?(_ line: Substring) {
      let columns = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      guard columns.count == Self.fields.count else { return nil }
      (source, length, dscp, signature) = (columns[0], columns[1], columns[2], columns[3])
      let lists = columns[4...].map { $0.split(separator: ",").map(String.init) }
      (types, notifications, malformed, severities) = (lists[0], lists[1], lists[2], lists[3])
    }

    var isOurs: Bool { source == "10.77.0.2" }
    var hasData: Bool { length != "0" }
  }

  private let network: TestNetwork
  private let process: Process

  init(in network: TestNetwork) throws {
    self.network = network
    _ = try Command.path("tshark")
    process = try network.start(
      "tcpdump",
      [
        "-i", "eth0", "-s", "0", "-U", "--immediate-mode", "-w", network.path("cable.pcap"), "-Z", "root",
        "tcp",
      ])
    try eventually("tcpdump listens: \(network.output(of: "tcpdump"))") {
      network.output(of: "tcpdump").contains("listening on")
    }
  }

  /// Nothing malformed, our packets marked as network control, signed or not, and the whole session there.
  func check(isSigned: Bool) throws {
    Thread.sleep(forTimeInterval: 0.3)
    network.stop(process)
    let packets = try packets()
    let types = packets.flatMap(\.types)
    #expect(types.filter { $0 == "1" }.count >= 4, "both OPENs, twice")
    #expect(packets.filter(\.isOurs).flatMap(\.types).filter { $0 == "2" }.count >= 8, "our UPDATEs")
    #expect(packets.filter(\.isOurs).flatMap(\.notifications) == ["6"], "our Cease")
    #expect(packets.allSatisfy { $0.malformed.isEmpty })
    // PI_ERROR of Wireshark's expert information.
    #expect(!packets.flatMap(\.severities).contains("8388608"))
    let data = packets.filter(\.hasData)
    #expect(data.filter(\.isOurs).allSatisfy { $0.dscp == "48" })
    #expect(data.allSatisfy { $0.signature.isEmpty != isSigned })
  }

  private func packets() throws -> [Packet] {
    let text = try Command.run(
      "tshark",
      ["-n", "-r", network.path("cable.pcap"), "-Y", "tcp.port == 179", "-T", "fields", "-E", "separator=|"]
        + Packet.fields.flatMap { ["-e", $0] })
    return text.split(separator: "\n").compactMap(Packet.init)
  }
}
