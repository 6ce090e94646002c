import BGP
import Foundation
import Logging
import Speaker
import Testing
import Wire

/// The speaker against routers that others wrote. Needs root.
@Suite(.serialized) struct RouterTests {
  enum Kind: String, CaseIterable, CustomTestStringConvertible, Sendable {
    case frr, frrWithPassword, bird, gobgp

    var testDescription: String { rawValue }
    var password: String? { self == .frrWithPassword ? "s3cret" : nil }

    func router(in network: TestNetwork) -> any Router {
      switch self {
      case .frr, .frrWithPassword: FRR(in: network, password: password)
      case .bird: BIRD(in: network)
      case .gobgp: GoBGP(in: network)
      }
    }
  }

  static let vip = "203.0.113.10/32"

  static func prefixes(_ count: Int) -> [IPv4Prefix] {
    (0..<count).map { IPv4Prefix(IPv4Address(number: 203 << 24 + 113 << 8 + 10 + UInt32($0)), length: 32) }
  }

  static func speaker(password: String?) -> Speaker {
    Speaker(
      SpeakerConfiguration(
        localAddress: IPv4Address(10, 77, 0, 2), localAS: 65001, routerID: IPv4Address(10, 77, 0, 2),
        holdTimeSeconds: 9, connectRetrySeconds: 1,
        neighbors: [
          NeighborConfiguration(address: IPv4Address(10, 77, 0, 1), remoteAS: 65000, password: password)
        ]), logger: Logger(label: "bgp") { _ in SwiftLogNoOpLogHandler() })
  }

  @Test("a session's whole life", .timeLimit(.minutes(1)), arguments: Kind.allCases)
  func wholeLife(_ kind: Kind) throws {
    let network = try TestNetwork(kind.rawValue)
    defer { network.close() }
    let router = kind.router(in: network)
    try router.start()
    let capture = try Capture(in: network)
    let speaker = Self.speaker(password: kind.password)
    defer { speaker.stop(reason: "end of test") }
    speaker.announce(Self.prefixes(1))
    try network.inMux { try speaker.start() }

    try comesUp(speaker, router)
    try vipsComeAndGo(speaker, router)
    try routerComesBack(speaker, router)
    try goodbye(speaker, router, kind)
    try capture.check(isSigned: kind.password != nil)
  }

  private func comesUp(_ speaker: Speaker, _ router: any Router) throws {
    try eventually("established: \(speaker.sessions())") {
      try speaker.sessions().first?.state == .established && router.isEstablished()
    }
    try eventually("the VIP in the router's table") { try router.routes() == [Self.vip: "10.77.0.2"] }
  }

  private func vipsComeAndGo(_ speaker: Speaker, _ router: any Router) throws {
    let connection = try router.connection()
    speaker.announce(Self.prefixes(2000))
    try eventually("2,000 VIPs") { try router.routes().count == 2000 }
    #expect(try router.routes().values.allSatisfy { $0 == "10.77.0.2" })
    #expect(speaker.sessions().first?.announced == 2000)
    speaker.announce(Array(Self.prefixes(2).dropFirst()))
    try eventually("one VIP left") { try router.routes() == ["203.0.113.11/32": "10.77.0.2"] }
    #expect(try router.connection() == connection, "a change of VIPs must not touch the session")
    #expect(speaker.sessions().first?.establishments == 1)
  }

  private func routerComesBack(_ speaker: Speaker, _ router: any Router) throws {
    router.kill()
    try eventually("the loss of the router is noticed", withinSeconds: 3) {
      speaker.sessions().first?.state != .established
    }
    try router.start()
    try eventually("the VIP is announced again") { try router.routes() == ["203.0.113.11/32": "10.77.0.2"] }
    #expect(speaker.sessions().first?.establishments == 2)
  }

  private func goodbye(_ speaker: Speaker, _ router: any Router, _ kind: Kind) throws {
    speaker.stop(reason: "moving to rack 7")
    try eventually("the routes are gone") { try router.routes().isEmpty }
    try eventually("the shutdown text at the router: \((try? router.lastReset()) ?? "")", withinSeconds: 5) {
      try router.lastReset().contains("moving to rack 7")
    }
    #expect(speaker.sessions().first?.state == .idle)
    #expect(speaker.sessions().first?.lastError == "stopped: moving to rack 7")
  }

  @Test("a wrong password or none does not get in", .timeLimit(.minutes(1)), arguments: ["wr0ng", nil])
  func wrongPassword(_ password: String?) throws {
    let network = try TestNetwork(password == nil ? "none" : "wrong")
    defer { network.close() }
    let router = FRR(in: network, password: "s3cret")
    try router.start()
    let speaker = Self.speaker(password: password)
    defer { speaker.stop(reason: "end of test") }
    try network.inMux { try speaker.start() }
    // Two rounds of connect retry, in which the right password establishes a session in 0.2 s.
    try eventually("a failed attempt is told", withinSeconds: 5) {
      speaker.sessions().first?.lastError?.isEmpty == false
    }
    let session = try #require(speaker.sessions().first)
    #expect(session.establishments == 0)
    #expect(session.messagesReceived == 0)
    #expect(try !router.isEstablished())
  }
}

/// All packets of the cable while it exists, judged by Wireshark.
final class Capture {
  private let network: TestNetwork
  private let process: Process

  init(in network: TestNetwork) throws {
    self.network = network
    _ = try Command.path("tshark")
    process = try network.start(
      "tcpdump", ["-i", "eth0", "-s", "0", "-U", "-w", network.path("cable.pcap"), "-Z", "root", "tcp"])
    try eventually("tcpdump listens: \(network.output(of: "tcpdump"))") {
      network.output(of: "tcpdump").contains("listening on")
    }
  }

  /// Nothing malformed, our packets marked as network control, and the whole session in the capture.
  func check(isSigned: Bool) throws {
    Thread.sleep(forTimeInterval: 0.3)
    network.stop(process)
    #expect(try count("bgp.type == 1") >= 4, "both OPENs, twice")
    #expect(try count("bgp.type == 2 && ip.src == 10.77.0.2") >= 4, "our UPDATEs")
    #expect(try count("bgp.notify.major_error == 6 && ip.src == 10.77.0.2") == 1)
    #expect(try count("_ws.malformed || (bgp && _ws.expert.severity == error)") == 0)
    #expect(try count("ip.src == 10.77.0.2 && tcp.dstport == 179 && tcp.len > 0 && ip.dsfield.dscp != 48") == 0)
    let unsigned = try count("tcp.port == 179 && tcp.len > 0 && !tcp.options.md5")
    #expect(isSigned ? unsigned == 0 : unsigned > 0)
  }

  private func count(_ filter: String) throws -> Int {
    let lines = try Command.run("tshark", "-n", "-r", network.path("cable.pcap"), "-Y", filter)
    return lines.split(separator: "\n").filter { $0.contains("10.77.0.") }.count
  }
}
