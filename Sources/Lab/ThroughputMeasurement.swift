import Control
import Foundation
public import Wire

/// Bulk data by three ways between the same client and the same machine, one TCP stream each.
public struct ThroughputMeasurement: Codable, Hashable, Sendable {
  /// One run of iperf3.
  public struct Run: Codable, Hashable, Sendable {
    /// What the receiver got.
    public var gigabitsPerSecond: Double
    /// What the sender had to send again.
    public var retransmits: Int
  }
  /// Through the VIP to a VM.
  public var throughVIP: Run
  /// Routed to a server in a host's own namespace: no load balancer, no VM.
  public var routed: Run
  /// As before, but to an address that nftables rewrites in the router.
  public var destinationNAT: Run

  /// Runs the three one after the other, each for so many seconds.
  public static func take(in lab: Lab, scene: Scene, seconds: Int) async throws(LabError) -> Self {
    guard let bulk = scene.bulk, let host = scene.hosts.first, let prefix = lab.topology.router.vips.first
    else {
      throw LabError(.topology, "Throughput needs an endpoint with `server: iperf3` and a host.")
    }
    let client = scene.client.name
    let port = 5202
    let throughVIP = try await run(
      in: lab, from: client, to: bulk.vip, port: Int(bulk.endpoint.port), seconds: seconds)
    let server = try await startServer(
      in: lab, on: host.node.name, namespace: try lab.namespace(of: host.node.name), port: port)
    defer { server.signal(15) }
    let routed = try await run(in: lab, from: client, to: host.node.address, port: port, seconds: seconds)
    // Connection tracking lives only as long as the rule does.
    let spare = Fabric.spare(of: prefix)
    let router = try lab.namespace(of: lab.topology.router.name)
    let rule = "ip daddr \(spare) tcp dport \(port) dnat to \(host.node.address)"
    let table =
      "table ip ananta_lab_nat {\nchain in {\ntype nat hook prerouting priority dstnat;\n\(rule)\n}\n}\n"
    try await ExternalCommand(["nft", "-f", "-"], input: table).inside(router).check()
    let destinationNAT = try await run(in: lab, from: client, to: spare, port: port, seconds: seconds)
    try await ExternalCommand(["nft", "delete", "table", "ip", "ananta_lab_nat"]).inside(router).check()
    return ThroughputMeasurement(throughVIP: throughVIP, routed: routed, destinationNAT: destinationNAT)
  }

  /// Starts an iperf3 server in a namespace and waits until it listens.
  static func startServer(
    in lab: Lab, on node: String, namespace: String, port: Int
  ) async throws(LabError) -> RecordedProcess {
    let directory = "\(lab.directory(of: node))/iperf3"
    try StateFiles.makeDirectory(directory)
    let daemon = Daemon(
      member: node, duty: .measurement, label: "iperf3", namespace: namespace,
      words: ["iperf3", "--server", "--port", String(port)], directory: directory, log: "\(directory)/log")
    let process = try await daemon.start()
    let question = ExternalCommand(["ss", "-Hltn", "sport = :\(port)"]).inside(namespace)
    try await Patience.wait(upTo: Limits.daemonStartMilliseconds) { () async throws(LabError) in
      try await !question.check().isEmpty
    }
    return process
  }

  /// One run of iperf3 from a member to an address.
  public static func run(
    in lab: Lab, from member: String, to address: IPv4Address, port: Int, seconds: Int,
    streams: Int = 1
  ) async throws(LabError) -> Run {
    let command = try lab.command(
      in: member,
      [
        "iperf3", "--client", "\(address)", "--port", "\(port)", "--time", "\(seconds)", "--json",
        "--parallel", "\(streams)", "--connect-timeout", "3000",
      ], seconds: seconds + 10)
    struct Answer: Decodable {
      struct End: Decodable {
        var sum_received: Sum?
        var sum_sent: Sum?
      }
      struct Sum: Decodable {
        var bits_per_second: Double
        var retransmits: Int?
      }
      var end: End?
      var error: String?
    }
    let result = try await command.run()
    let answer = try? JSONDecoder().decode(Answer.self, from: Data(result.output.utf8))
    guard result.succeeded, let received = answer?.end?.sum_received else {
      let why = answer?.error ?? (result.errors.isEmpty ? "status \(result.status)" : result.errors)
      throw LabError(.command, "iperf3 from \(member) to \(address):\(port) failed: \(why)")
    }
    return Run(
      gigabitsPerSecond: received.bits_per_second / 1e9, retransmits: answer?.end?.sum_sent?.retransmits ?? 0)
  }
}
