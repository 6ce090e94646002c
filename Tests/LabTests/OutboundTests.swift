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

  @Test func theDefaultTopologyHasAnInternet() throws {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let topology = try TopologyReader.read(path: "/\(root)/deploy/lab/small.yaml")
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

  @Test func portsComeBackWhenTheyAreRecalled() async throws {
    try await Self.inLab { lab, _, outbound in
      let load = OutboundLoad(targets: outbound.targets, count: 4)
      #expect(try await lab.reach(from: outbound.busy, load).failed == 0)
      #expect(try await lab.ports().first { $0.vm == outbound.busy }?.allocated ?? 0 > 0)
      let answer = try await lab.control(["snat", "recall", "--vm", outbound.busy]).check()
      #expect(answer.hasPrefix("vm/\(outbound.busy) ") && answer.hasSuffix(" ports recalled\n"))
      // Closed connections keep their ports for ten seconds.
      let isBack = try await Patience.wait(upTo: 30_000) { () async throws(LabError) in
        try await lab.ports().first { $0.vm == outbound.busy }?.recalled == 0
      }
      #expect(isBack)
      #expect(try await lab.reach(from: outbound.busy, load).failed == 0)
    }
  }
}
