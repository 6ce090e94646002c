import Control
import Foundation
import Testing
import Wire

@testable import Lab

/// What reports make of numbers; needs no lab.
@Suite("Reports of leased ports")
struct OutboundReportTests {
  static let bounds: [(open: Int, remotes: Int, ports: Int)] = [
    (50_000, 4, 12_504), (8, 1, 8), (9, 1, 16), (1, 4, 8), (0, 4, 0), (32, 4, 8), (33, 4, 16),
  ]

  @Test(arguments: bounds)
  func asFewPortsAsWillDo(open: Int, remotes: Int, ports: Int) {
    var keep = KeepMeasurement()
    keep.report.open = open
    keep.remotes = remotes
    #expect(keep.bound == ports)
  }

  @Test func aRangeOfTwoVMsIsFoundWhenItLasts() throws {
    let range = try #require(PortRange(vip: IPv4Address(203, 0, 113, 10), firstPort: 1024))
    let (first, second) = (IPv4Address(10, 64, 1, 1), IPv4Address(10, 64, 2, 2))
    let both = [
      KeptPorts(node: "host1", leases: [PortLease(range, to: first)], ranges: []),
      KeptPorts(node: "host2", leases: [PortLease(range, to: second)], ranges: []),
    ]
    var history = PortHistory()
    history.take(both)
    history.take([both[0]])
    history.take(both)
    #expect(history.shared.isEmpty, "files are read one after the other, so once is no proof")
    history.take(both)
    #expect(history.shared == ["203.0.113.10:1024-1031 is 10.64.1.1's and 10.64.2.2's"])
    #expect(history.samples == 4 && history.leases == 1)
  }

  @Test func aMUXThatSendsARangeElsewhereIsFoundWhenPacketsReachIt() throws {
    let range = try #require(PortRange(vip: IPv4Address(203, 0, 113, 10), firstPort: 1024))
    let free = try #require(PortRange(vip: IPv4Address(203, 0, 113, 10), firstPort: 1032))
    let (first, second) = (IPv4Address(10, 64, 1, 1), IPv4Address(10, 64, 2, 2))
    let kept = [
      KeptPorts(node: "host1", leases: [PortLease(range, to: first)], ranges: []),
      KeptPorts(node: "mux1", leases: [], ranges: [PortLease(range, to: first)]),
      KeptPorts(
        node: "mux2", leases: [], ranges: [PortLease(range, to: second), PortLease(free, to: second)]),
    ]
    var history = PortHistory()
    for _ in 0..<2 { history.take(kept) { mux, _ in mux == "mux1" } }
    #expect(history.misdirected.isEmpty, "the router sends nothing to mux2")
    history.take(kept)
    #expect(history.misdirected.isEmpty, "files are read one after the other, so once is no proof")
    history.take(kept)
    #expect(history.misdirected == ["mux2 sends 10.64.1.1's 203.0.113.10:1024-1031 to 10.64.2.2"])
    #expect(history.shared.isEmpty && history.compared == 1)
  }

  @Test func whoHasSeenNothingSaysSo() {
    var history = PortHistory()
    history.failures = 3
    #expect(history.verdict == "nothing could be read, 3 looks failed")
    history.take([KeptPorts]())
    #expect(history.verdict.hasSuffix("1 looks, 3 more failed: nothing is wrong"))
  }

  @Test func sumsAreChecked() {
    func rows(free: Int) -> [LabPorts] {
      [
        LabPorts(
          vip: "203.0.113.10", allocated: 16, recalled: 0, free: free, orphaned: 8, capacity: 64_512),
        LabPorts(vip: "203.0.113.10", vm: "blue-1", allocated: 16, recalled: 0),
      ]
    }
    var history = PortHistory()
    history.take(rows(free: 64_488))
    #expect(history.lost.isEmpty)
    history.take(rows(free: 64_480))
    #expect(history.lost == ["203.0.113.10: 16 leased, 8 orphaned, 64480 free of 64512"])
  }

  private static func topology() throws -> Topology {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return try TopologyReader.read(path: "/\(root)/deploy/lab/small.yaml")
  }

  @Test func whatWasNotMeasuredIsNotClaimed() throws {
    let scene = try #require(OutboundScene(try Self.topology()))
    var measured = SNATMeasurement()
    #expect(!measured.passed)
    measured.crowd = CrowdMeasurement()
    let claims = OutboundClaims.claims(measured, scene, excess: 10)
    #expect(claims.count == 14)
    #expect(claims.filter { $0.ok == true }.map(\.claim) == [])
    measured.claims = claims.filter { $0.ok == nil }
    #expect(measured.passed)
  }

  @Test func aLightFloodProvesNothing() throws {
    let scene = try #require(OutboundScene(try Self.topology()))
    func claim(sent: Int) -> DemoReport.Claim? {
      var flood = PortFloodMeasurement()
      flood.capacity.leased = 1_000
      flood.capacity.seconds = 5
      flood.flood.sent = sent
      flood.flood.seconds = 10
      var measured = SNATMeasurement()
      measured.flood = flood
      return OutboundClaims.claims(measured, scene, excess: 10).first { $0.claim.contains("10 times") }
    }
    #expect(claim(sent: 20_000)?.ok == true)
    #expect(claim(sent: 19_999)?.ok == false)
    #expect(claim(sent: 20_000)?.measured == "10.0 times, 2000 requests a second")
  }

  @Test func theDefaultTopologyHasAnInternet() throws {
    let topology = try Self.topology()
    let scene = try #require(OutboundScene(topology))
    #expect(scene.service.name == "blue" && scene.busy == "blue-1" && scene.steady == "blue-2")
    #expect(scene.heavy == "green-1")
    #expect(scene.sites.map(\.name) == ["site1", "site2", "site3", "site4"])
    #expect(topology.members.contains("site4"))
    let manifest = ManifestWriter(lab: "x", topology: topology).services
    #expect(
      manifest.contains("  snat: [blue-1, blue-2, blue-3]\n  snatVIPs: []\n  snatPortsPerMachine: 16000\n"))
  }
}

/// What VMs see of the internet, with the real agents on the default topology: quick forms of `ananta-lab snat`.
@Suite(
  "The internet", .enabled(if: LabBench.isRoot, "needs root"),
  .enabled(if: (try? Programs.find()) != nil, "needs ananta-agent and ananta-ctl"), .serialized)
struct InternetTests {
  private static func inLab(_ body: (inout Lab, Scene, OutboundScene) async throws -> Void) async throws {
    try await ClaimsTests.inLab { lab, scene in
      try await body(&lab, scene, try #require(scene.outbound))
    }
  }

  @Test func manyConnectionsOfOneVM() async throws {
    try await Self.inLab { lab, _, outbound in
      let keep = try await KeepMeasurement.take(in: lab, scene: outbound, connections: 2_000)
      #expect(keep.report.failed == 0 && keep.report.answered == 2_000, "\(keep.report.reasons)")
      #expect(keep.portsInUse > 0 && keep.portsInUse <= keep.bound, "\(keep.portsInUse) of \(keep.bound)")
      #expect(keep.leakedAtHost == 0 && keep.leakedAtRouter == 0)
      #expect(keep.seenAtHost >= 2_000 && keep.seenAtRouter >= 2_000)
    }
  }

  @Test func firstPacketsComeThrough() async throws {
    try await Self.inLab { lab, _, outbound in
      var settings = FirstPacketMeasurement.Settings()
      settings.connections = 300
      settings.perSecond = 100
      settings.roundTrips = 5
      let delay = try await FirstPacketMeasurement.take(in: lab, scene: outbound, settings: settings)
      #expect(delay.failures == [])
      #expect(delay.roundTripRequests >= 5 && delay.roundTrip.milliseconds.count == 5)
      #expect(delay.freeShare >= 0.97)
    }
  }

  @Test func datagramsAndEchoesAreAnswered() async throws {
    try await Self.inLab { lab, _, outbound in
      let site = outbound.sites[0]
      let load = DatagramLoad(
        address: site.link.address, port: GuestServer.internetPorts.datagrams, count: 20)
      let report = try await lab.ask(from: outbound.busy, load)
      #expect(report.succeeded == 20 && report.shares.map(\.backend) == [site.name], "\(report.failures)")
      let ping = try await lab.run(in: outbound.busy, "ping", "-c", "3", "-W", "2", "\(site.link.address)")
      #expect(ping.succeeded, "\(ping.output)")
    }
  }

  @Test func nobodyIsMissed() async throws {
    try await Self.inLab { lab, scene, outbound in
      let standing = lab
      let watching = Task { await PortHistory.watch(standing) }
      defer { watching.cancel() }
      let seen = try await DisturbanceMeasurement.take(
        in: &lab, scene: scene, outbound: outbound, held: 50, seconds: 30)
      watching.cancel()
      let history = await watching.value
      #expect(seen.broken == 0, "\(seen.reasons)")
      #expect(seen.fresh.failed == 0, "\(seen.fresh.reasons)")
      #expect(seen.requests > 0)
      #expect(history.samples > history.failures && history.sums > 0, "\(history.text)")
      #expect(history.leases > 0 && history.compared > 0)
      #expect(history.shared.isEmpty && history.misdirected.isEmpty, "\(history.verdict)")
      #expect(history.lost.isEmpty)
    }
  }

  /// One VM takes all its ports, and one node asks for ports without end.
  @Test func whoAsksForMuchIsNotFelt() async throws {
    try await Self.inLab { lab, _, outbound in
      let crowd = try await CrowdMeasurement.take(
        in: lab, scene: outbound, connections: 100, perSecond: 100)
      #expect(crowd.failed == 0 && crowd.beside.milliseconds.count == 100)
      #expect(crowd.heavyCap > 0 && crowd.heavyPorts == crowd.heavyCap, "\(crowd.heavyPorts)")
      #expect(crowd.heavy.failed > 0)
      let flood = try await PortFloodMeasurement.take(
        in: lab, machines: 20, applies: 5, excess: 2, seconds: 10, capacitySeconds: 3)
      #expect(flood.capacity.leased > 0 && flood.multiple >= 2, "\(flood.text)")
      #expect(flood.failure == nil && flood.loaded.milliseconds.count == 5, "\(flood.text)")
    }
  }

  /// The ports of the VIP that a server of the internet has connections from.
  private static func ports(
    of outbound: OutboundScene, at site: Topology.Client, in lab: Lab
  ) async throws(LabError) -> Set<UInt16> {
    let sockets = try await lab.run(in: site.name, "ss", "-Htn", "state", "established")
    // "0 0 192.0.2.2:80 203.0.113.10:1024"
    let peers = sockets.output.split(separator: "\n").compactMap { $0.split(separator: " ").last }
    let prefix = "\(outbound.service.vip):"
    return Set(peers.filter { $0.hasPrefix(prefix) }.compactMap { UInt16($0.dropFirst(prefix.count)) })
  }

  /// The same when there are so many, or what there is after ten seconds.
  private static func ports(
    of outbound: OutboundScene, at site: Topology.Client, in lab: Lab, once count: Int
  ) async throws -> Set<UInt16> {
    var found: Set<UInt16> = []
    try await Patience.wait(upTo: 10_000) { () async throws(LabError) in
      found = try await Self.ports(of: outbound, at: site, in: lab)
      return found.count == count
    }
    return found
  }

  @Test func recalledPortsServeTheirConnectionsAndNoOthers() async throws {
    try await Self.inLab { lab, _, outbound in
      let standing = lab
      let (site, other) = (outbound.sites[0], outbound.sites[1])
      let hold = HoldLoad(address: site.web.address, port: site.web.port, count: 20, seconds: 15)
      let holding = Task { try await standing.hold(from: outbound.busy, hold) }
      let held = try await Self.ports(of: outbound, at: site, in: lab, once: 20)
      #expect(held.count == 20)
      let answer = try await lab.control(["snat", "recall", "--vm", outbound.busy]).check()
      #expect(answer.hasPrefix("vm/\(outbound.busy) ") && answer.hasSuffix(" ports recalled\n"))
      // Carried out a moment later, and then no new connection takes a port of a range that was recalled.
      try await Task.sleep(for: .seconds(1))
      let load = OutboundLoad(targets: [other.web], count: 20, concurrency: 20, keepSeconds: 3)
      let making = Task { try await standing.reach(from: outbound.busy, load) }
      let fresh = try await Self.ports(of: outbound, at: other, in: lab, once: 20)
      #expect(fresh.count == 20)
      #expect(Set(fresh.map { $0 / 8 }).isDisjoint(with: held.map { $0 / 8 }), "\(fresh) beside \(held)")
      let made = try await making.value
      #expect(made.failed == 0 && made.answered == 20, "\(made.reasons)")
      let meanwhile = try await lab.ports().first { $0.vm == outbound.busy }
      #expect(meanwhile?.recalled ?? 0 >= held.count)
      let report = try await holding.value
      #expect(report.connections.filter { $0.broke == nil && $0.exchanges > 10 }.count == 20)
      // Closed connections keep their ports for ten seconds.
      let isBack = try await Patience.wait(upTo: 30_000) { () async throws(LabError) in
        try await lab.ports().first { $0.vm == outbound.busy }?.recalled == 0
      }
      #expect(isBack)
    }
  }
}
