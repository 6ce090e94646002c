import Control
import Foundation
import Testing

@testable import Lab

/// What Ananta claims, measured end to end with the real agents on the default topology.
@Suite(
  "Claims", .enabled(if: LabBench.isRoot, "needs root"),
  .enabled(if: (try? Programs.find()) != nil, "needs ananta-agent and ananta-ctl"), .serialized)
struct ClaimsTests {
  /// Builds the default topology, measures, and removes it.
  static func inLab(
    offload: Bool = true, path: MuxPath = .auto, probes: Bool = true, managers: Int = 5,
    _ body: (inout Lab, Scene) async throws -> Void
  ) async throws {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let file = "/\(root)/deploy/lab/small.yaml"
    let bench = try LabBench()
    try await bench.run {
      var text = try String(contentsOfFile: file, encoding: .utf8)
      if !probes {
        text = text.split(separator: "\n").filter { !$0.contains("probe:") }.joined(separator: "\n")
      }
      var topology = try TopologyReader.read(text: text, file: file)
      topology.offload = offload
      for index in topology.machines.indices {
        topology.machines[index].path = path
        if index >= managers { topology.machines[index].node.roles.removeAll { $0 == .manager } }
      }
      let plan = LabPlan(
        name: bench.names[0], topologyFile: file, topology: topology, programs: try Programs.find())
      var lab = try await Lab.up(plan) { _ in }
      try await body(&lab, Scene(topology))
    }
  }

  @Test func tenThousandConnections() async throws {
    try await Self.inLab { lab, scene in
      let spread = try await SpreadMeasurement.take(in: lab, scene: scene, connections: 10_000)
      #expect(spread.report.succeeded == 10_000)
      #expect(spread.report.failures == [])
      for (mux, share) in spread.shares(of: scene.muxes) {
        #expect((0.4...0.6).contains(share), "\(mux) carries \(share)")
      }
      #expect(spread.report.shares.map(\.backend) == scene.web.backends)
      #expect(spread.worstDeviation(of: scene.web.backends) <= 0.1)
      #expect(spread.replies(by: scene.muxes) == 0)
      #expect(spread.replies(by: scene.hosts.map(\.node.name)) > 10_000)
    }
  }

  @Test func repliesBypassMUXes() async throws {
    try await Self.inLab { lab, scene in
      let bypass = try await BypassMeasurement.take(in: lab, scene: scene, connections: 200)
      #expect(
        bypass.muxes.allSatisfy { $0.requests > 0 && $0.encapsulated == $0.requests && $0.replies == 0 })
      #expect(bypass.hosts.allSatisfy { $0.requests == 0 && $0.encapsulated > 0 && $0.replies > 0 })
    }
  }

  @Test func aStoppedBackendGetsNoConnections() async throws {
    try await Self.inLab { lab, scene in
      let stop = try await BackendStopMeasurement.take(in: &lab, scene: scene)
      #expect(stop.attemptsAfterwards > 100)
      #expect(stop.lastConnectionMilliseconds <= stop.allowedMilliseconds)
      #expect(stop.returnMilliseconds != nil)
    }
  }

  @Test func aKilledMUXIsNotMissed() async throws {
    try await Self.inLab { lab, scene in
      let kill = try await MuxKillMeasurement.take(in: lab, scene: scene)
      let noticed = try #require(kill.routerMilliseconds)
      #expect(noticed <= 1_000)
      #expect(kill.heldElsewhere > 0 && kill.heldThere > 0)
      #expect(kill.brokenElsewhere == 0, "\(kill.reasons)")
      #expect(kill.attempted > 300)
      #expect(kill.failures == [])
      try await lab.start(scene.victim)
      try await lab.awaitRoutes()
    }
  }

  @Test func bulkDataFlows() async throws {
    try await Self.inLab { lab, scene in
      let throughput = try await ThroughputMeasurement.take(in: lab, scene: scene, seconds: 1)
      #expect(throughput.throughVIP.gigabitsPerSecond > 0.01)
      #expect(throughput.routed.gigabitsPerSecond > throughput.throughVIP.gigabitsPerSecond / 10)
    }
  }

  /// Without offloads every checksum is computed before the packet is captured.
  @Test func tsharkFindsNoFault() async throws {
    try await Self.inLab(offload: false) { lab, scene in
      let mux = scene.victim
      let host = scene.hosts[0].node.name
      var captures: [Capture] = []
      for member in [scene.client.name, mux, host] {
        captures.append(
          try await Capture.start(
            in: lab, on: member, device: Fabric.uplink, filter: "ip", snapLength: 65_535))
      }
      // The BGP session begins anew while it is captured.
      try await lab.stop(mux)
      try await lab.start(mux)
      try await lab.awaitRoutes()
      let load = ConnectLoad(address: scene.web.vip, port: scene.web.endpoint.port, count: 200)
      #expect(try await lab.connect(from: scene.client.name, load).succeeded == 200)
      if let bulk = scene.bulk {
        // So many packets that tshark has read them in seconds.
        let words = [
          "iperf3", "--client", "\(bulk.vip)", "--port", "\(bulk.endpoint.port)", "--bytes", "16M",
          "--connect-timeout", "3000",
        ]
        try await lab.command(in: scene.client.name, words).check()
      }
      for capture in captures {
        try await capture.stop()
        #expect(try await capture.count() > 100)
        let faults = try await capture.faults()
        #expect(faults.isEmpty, "\(faults.prefix(5))")
      }
      #expect(try await captures[1].count("tcp port 179") > 4)
    }
  }
}
