import Control
import Foundation
import Testing

@testable import Lab

/// The ways of a packet through a MUX, with the real agents, and agents that are killed while it forwards.
@Suite(
  "Ways through a MUX", .enabled(if: LabBench.isRoot, "needs root"),
  .enabled(if: (try? Programs.find()) != nil, "needs ananta-agent and ananta-ctl"), .serialized)
struct KernelPathTests {
  /// Connections succeed by each way, the MUXes say that they take it, and count what went by it.
  @Test(arguments: MuxPath.allCases)
  func everyWay(path: MuxPath) async throws {
    // XDP gets checksums as they are on a veth pair, where they may be only begun.
    try await ClaimsTests.inLab(offload: path != .xdp, path: path) { lab, scene in
      let load = ConnectLoad(address: scene.web.vip, port: scene.web.endpoint.port, count: 600)
      let report = try await lab.connect(from: scene.client.name, load)
      #expect(report.succeeded == 600, "\(report.failures.prefix(3))")
      #expect(report.shares.map(\.backend) == scene.web.backends)
      // One packet at a time, so that none waits in a queue for the next to come.
      let single = ConnectLoad(
        address: scene.web.vip, port: scene.web.endpoint.port, count: 40, concurrency: 1)
      let alone = try await lab.connect(from: scene.client.name, single)
      #expect(alone.succeeded == 40 && alone.medianMilliseconds < 100)
      let expected = path == .userSpace ? "user space" : path == .xdp ? "xdp on eth0" : "tc on eth0"
      let ways = try await lab.control(["get", "muxes", "-o", "wide"]).check()
      let taken = ways.split(separator: "\n").filter { $0.contains(" \(expected) ") }
      #expect(taken.count == scene.muxes.count, "\(expected) is not the way of every MUX: \(ways)")
      try await Task.sleep(for: .milliseconds(2_500))
      let listing = try await lab.control(["get", "backends", "-o", "wide"]).check()
      let counted = listing.split(separator: "\n").compactMap { line -> Int? in
        let cells = line.split(separator: " ").map(String.init)
        guard cells.count > 7, cells[0] == "blue", cells[1] == "http" else { return nil }
        return Int(cells[7])
      }
      // A SYN that is repeated counts again.
      #expect((640...740).contains(counted.reduce(0, +)), "connections counted: \(listing)")
    }
  }

  /// No connection breaks when agents are killed and started again, one after the other.
  ///
  /// Without probes all backends are there from the beginning, so that no slot moves: what another MUX has
  /// recorded of moving slots, this one does not know yet.
  @Test func agentsAreReplacedUnderConnections() async throws {
    try await ClaimsTests.inLab(probes: false) { lab, scene in
      let load = HoldLoad(
        address: scene.web.vip, port: scene.web.endpoint.port, count: 900, seconds: 12,
        intervalMilliseconds: 500)
      let standing = lab
      let client = scene.client.name
      let holding = Task { try await standing.hold(from: client, load) }
      try await Task.sleep(for: .seconds(3))
      for node in scene.muxes + scene.hosts.map(\.node.name) {
        try await lab.kill(node)
        try await lab.start(node)
        try await Task.sleep(for: .milliseconds(1_200))
      }
      let report = try await holding.value
      #expect(report.broken == [])
      #expect(report.connections.count == 900)
      #expect(report.connections.allSatisfy { $0.exchanges > 10 })
    }
  }

  /// An agent that is to take another way leaves no program of the one before it, which would go on by old tables.
  @Test func whatIsLeftOfAnotherWayIsTakenAway() async throws {
    try await ClaimsTests.inLab(probes: false) { lab, scene in
      let mux = scene.victim
      #expect(
        try await lab.run(in: mux, "tc", "filter", "show", "dev", "eth0", "ingress").output.contains("ananta")
      )
      try await lab.kill(mux)
      #expect(
        try await lab.run(in: mux, "tc", "filter", "show", "dev", "eth0", "ingress").output.contains("ananta")
      )
      let index = try #require(lab.record.topology.machines.firstIndex { $0.node.name == mux })
      lab.record.topology.machines[index].path = .userSpace
      try await lab.start(mux)
      let isGone = try await Patience.wait(upTo: 10_000) { () async throws(LabError) in
        let filters = try await lab.run(in: mux, "tc", "filter", "show", "dev", "eth0", "ingress").output
        return !filters.contains("ananta")
      }
      #expect(isGone)
      let load = ConnectLoad(address: scene.web.vip, port: scene.web.endpoint.port, count: 300)
      #expect(try await lab.connect(from: scene.client.name, load).failures == [])
    }
  }
}
