import Testing
import Wire

@testable import Lab

/// The load generators, against servers inside one VM.
@Suite("Traffic", .enabled(if: LabBench.isRoot, "needs root"), .serialized)
struct TrafficTests {
  let address = IPv4Address(127, 0, 0, 1)

  @Test func countsWhatBecameOfConnections() async throws {
    let bench = try LabBench()
    try await bench.run {
      var lab = try await Lab.up(bench.plan()) { _ in }
      let load = ConnectLoad(address: address, port: 8080, count: 500, concurrency: 20)
      let report = try await lab.connect(from: "blue-1", load)
      #expect(report.succeeded == 500)
      #expect(report.failed == 0)
      #expect(report.shares.map(\.backend) == ["blue-1"])
      #expect(report.count(of: "blue-1") == 500)
      let paced = ConnectLoad(address: address, port: 8080, count: 50, perSecond: 100)
      #expect(try await lab.connect(from: "blue-1", paced).seconds >= 0.49)
      let refused = ConnectLoad(address: address, port: 8081, count: 5)
      let failures = try await lab.connect(from: "blue-1", refused).failures
      #expect(failures.map(\.reason) == Array(repeating: "connect: Connection refused", count: 5))

      let hold = HoldLoad(address: address, port: 8080, count: 10, seconds: 1)
      let held = try await lab.hold(from: "blue-1", hold)
      #expect(held.connections.map(\.localPort) == hold.localPorts)
      #expect(held.connections.allSatisfy { $0.backend == "blue-1" && $0.exchanges > 1 })
      #expect(held.broken == [])
      try await lab.stopServers(of: "blue-1")
      let dead = HoldLoad(address: address, port: 8080, count: 2, seconds: 1, firstLocalPort: 21_000)
      #expect(try await lab.hold(from: "blue-1", dead).broken.count == 2)
      try await lab.startServers(of: "blue-1")
      let answered = try await Patience.wait(upTo: 5_000) {
        try await lab.connect(from: "blue-1", ConnectLoad(address: address, port: 8080, count: 1)).succeeded
          == 1
      }
      #expect(answered)
    }
  }

  @Test func noticesABrokenConnection() async throws {
    let bench = try LabBench()
    try await bench.run {
      let lab = try await Lab.up(bench.plan()) { _ in }
      let load = HoldLoad(address: address, port: 8080, count: 3, seconds: 2)
      let holding = Task { try await lab.hold(from: "blue-1", load) }
      try await Task.sleep(for: .milliseconds(1_000))
      try await lab.stopServers(of: "blue-1")
      let report = try await holding.value
      #expect(report.broken.count == 3)
      #expect(report.connections.allSatisfy { $0.exchanges > 0 })
    }
  }

  @Test func asksForNames() async throws {
    let bench = try LabBench()
    try await bench.run {
      var plan = try bench.plan()
      plan.topology.offers[0].servers = [.udp]
      let lab = try await Lab.up(plan) { _ in }
      let load = DatagramLoad(address: address, port: 8080, count: 5)
      let answered = try await Patience.wait(upTo: 5_000) {
        try await lab.ask(from: "blue-1", load).count(of: "blue-1") == 5
      }
      #expect(answered)
      let nobody = DatagramLoad(address: address, port: 8081, count: 1)
      #expect(try await lab.ask(from: "blue-1", nobody).failed == 1)
    }
  }

  @Test func seesPacketsAndFaults() async throws {
    let bench = try LabBench()
    try await bench.run {
      var plan = try bench.plan()
      plan.topology.offload = false
      let lab = try await Lab.up(plan) { _ in }
      let capture = try await Capture.start(
        in: lab, on: "client", device: Fabric.uplink, filter: "icmp", snapLength: 2_048)
      _ = try await lab.run(in: "client", "ping", "-c", "3", "-i", "0.1", "-W", "2", "10.1.11.2")
      try await capture.stop()
      #expect(try await capture.count() == 6)
      #expect(try await capture.count("src host 10.1.11.2") == 3)
      #expect(try await capture.faults() == [])
    }
  }

  /// A checksum left to "the hardware" looks bad in a capture, so this shows that `faults` finds bad ones.
  @Test func seesBadChecksums() async throws {
    let bench = try LabBench()
    try await bench.run {
      let lab = try await Lab.up(bench.plan()) { _ in }
      let capture = try await Capture.start(
        in: lab, on: "client", device: Fabric.uplink, filter: "tcp", snapLength: 2_048)
      let closed = ConnectLoad(address: IPv4Address(10, 1, 11, 2), port: 81, count: 1)
      #expect(try await lab.connect(from: "client", closed).failed == 1)
      try await capture.stop()
      #expect(try await capture.faults().count == 1)
    }
  }
}
