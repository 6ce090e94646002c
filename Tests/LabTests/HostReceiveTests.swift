import Control
import Foundation
import Testing

@testable import Lab

/// How packets come from a host's uplink to its VMs, with the real agents: once, by whatever way.
@Suite(
  "A host receives", .enabled(if: LabBench.isRoot, "needs root"),
  .enabled(if: (try? Programs.find()) != nil, "needs ananta-agent and ananta-ctl"), .serialized)
struct HostReceiveTests {
  /// Two nodes, each of them MUX and host.
  static let combined = """
    router: {name: router, as: 65000, vips: [203.0.113.0/24]}
    clients:
      - {name: client, address: 198.51.100.10/24}
    nodes:
      - {name: n1, address: 10.1.1.2/24, roles: [mux, host, manager], as: 65001, locators: 10.64.1.0/24}
      - {name: n2, address: 10.1.2.2/24, roles: [mux, host], as: 65001, locators: 10.64.2.0/24}
    networks:
      - name: blue
        prefixes: [10.0.0.0/24]
        vms:
          - {name: blue-1, dip: 10.0.0.11, host: n1}
          - {name: blue-2, dip: 10.0.0.12, host: n2}
    services:
      - name: blue
        network: blue
        vip: 203.0.113.10
        endpoints:
          - {name: http, protocol: tcp, port: 80, backendPort: 8080, server: http}
          - {name: dns, protocol: udp, port: 53, server: udp}
    """

  private func inLab(
    agent: ((LabBench, Programs) throws -> Programs)? = nil, _ body: (Lab, Scene) async throws -> Void
  ) async throws {
    let bench = try LabBench()
    try await bench.run {
      let topology = try TopologyReader.read(text: Self.combined, file: "combined.yaml")
      let found = try Programs.find()
      let plan = LabPlan(
        name: bench.names[0], topologyFile: "combined.yaml", topology: topology,
        programs: try agent?(bench, found) ?? found)
      let lab = try await Lab.up(plan) { _ in }
      try await body(lab, Scene(topology))
    }
  }

  /// Asks by UDP, whose datagrams nobody repeats, and expects that the VMs got each question once.
  private func expectOnce(_ lab: Lab, _ scene: Scene) async throws {
    let offer = try #require(scene.datagrams)
    let load = DatagramLoad(address: offer.vip, port: offer.endpoint.port, count: 300)
    let report = try await lab.ask(from: scene.client.name, load)
    #expect(report.succeeded == 300 && report.failures == [])
    var arrived = 0
    for vm in offer.backends {
      let here = try await datagrams(lab, vm)
      #expect(here > 0, "\(vm) got none")
      arrived += here
    }
    #expect(arrived == 300)
  }

  /// What a VM's kernel has handed to UDP sockets.
  private func datagrams(_ lab: Lab, _ vm: String) async throws -> Int {
    let text = try await lab.run(in: vm, "cat", "/proc/net/snmp").output
    let numbers = text.split(separator: "\n").filter { $0.hasPrefix("Udp: ") }.last
    return Int(try #require(numbers?.split(separator: " ").dropFirst().first)) ?? 0
  }

  @Test("by packet sockets from its uplink, by the stack from a MUX on the same node")
  func bothWays() async throws {
    try await inLab { lab, scene in
      for (host, locators) in [("n1", "10.64.1.0/24"), ("n2", "10.64.2.0/24")] {
        #expect(try await lab.run(in: host, "ss", "-H", "-0").output.contains(":eth0"))
        let rules = try await lab.run(in: host, "ip", "rule").output
        #expect(rules.contains("to \(locators) iif eth0 blackhole"))
      }
      try await expectOnce(lab, scene)
    }
  }

  @Test("by the stack alone where packet sockets are forbidden, and says so")
  func withoutPrivilege() async throws {
    try await inLab(agent: { bench, found in
      var programs = found
      programs.agent = "\(bench.programs)/unprivileged-agent"
      let drop = "setpriv --bounding-set -net_raw --inh-caps -net_raw"
      try "#!/bin/sh\nexec \(drop) \(found.agent) \"$@\"\n".write(
        toFile: programs.agent, atomically: true, encoding: .utf8)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: programs.agent)
      return programs
    }) { lab, scene in
      for host in scene.hosts.map(\.node.name) {
        #expect(try await !lab.run(in: host, "ip", "rule").output.contains("blackhole"))
        let log = try String(contentsOfFile: #require(lab.logs(of: host).first), encoding: .utf8)
        #expect(log.contains("by=the stack; cannot open a packet socket on device eth0"))
      }
      try await expectOnce(lab, scene)
    }
  }

  @Test("again after its agent was killed, and nobody hears of the packets meanwhile")
  func afterAKill() async throws {
    try await inLab { lab, scene in
      var lab = lab
      try await lab.kill("n2")
      let rules = try await lab.run(in: "n2", "ip", "rule").output
      #expect(rules.contains("iif eth0 blackhole"), "the kernel drops what nobody takes")
      try await lab.start("n2")
      try await lab.awaitRoutes()
      let isBack = try await Patience.wait(upTo: 10_000) {
        try await lab.run(in: "n2", "ss", "-H", "-0").output.contains(":eth0")
      }
      #expect(isBack)
      try await expectOnce(lab, scene)
    }
  }
}
