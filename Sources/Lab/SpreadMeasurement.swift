import Control
import Wire

/// How connections spread over MUXes and backends, and which way their replies take.
public struct SpreadMeasurement: Codable, Hashable, Sendable {
  /// What the client saw.
  public var report: ConnectReport
  /// What the router counted, by node.
  public var nodes: [RouterCounters.Entry]

  /// Makes the connections.
  public static func take(in lab: Lab, scene: Scene, connections: Int) async throws(LabError) -> Self {
    let counters = try await RouterCounters.start(in: lab)
    let load = ConnectLoad(
      address: scene.web.vip, port: scene.web.endpoint.port, count: connections, concurrency: 50)
    let report = try await lab.connect(from: scene.client.name, load)
    let nodes = try await counters.read()
    try await counters.stop()
    return SpreadMeasurement(report: report, nodes: nodes)
  }

  /// The share of the connections that each of some nodes carried, from 0 to 1.
  public func shares(of names: [String]) -> [(node: String, share: Double)] {
    let chosen = nodes.filter { names.contains($0.node) }
    let total = max(1, chosen.map(\.connections).reduce(0, +))
    return chosen.map { ($0.node, Double($0.connections) / Double(total)) }
  }

  /// The packets from VIPs that came to the router by way of some nodes.
  public func replies(by names: [String]) -> Int {
    nodes.filter { names.contains($0.node) }.map(\.replies).reduce(0, +)
  }

  /// How far a backend is from its fair share at worst: 0.1 is 10 %.
  ///
  /// All weights are 1 in a lab.
  public func worstDeviation(of backends: [String]) -> Double {
    let fair = Double(report.succeeded) / Double(max(1, backends.count))
    guard fair > 0 else { return 1 }
    return backends.map { abs(Double(report.count(of: $0)) - fair) / fair }.max() ?? 1
  }
}

/// What captures saw of the replies' way.
public struct BypassMeasurement: Codable, Hashable, Sendable {
  /// Packets of one kind at one node.
  public struct Sight: Codable, Hashable, Sendable {
    /// The node.
    public var node: String
    /// Packets to the VIP, as the client sent them.
    public var requests: Int
    /// IP-in-IP packets.
    public var encapsulated: Int
    /// Packets from the VIP, as the client gets them.
    public var replies: Int
  }
  /// By MUX.
  public var muxes: [Sight]
  /// By host.
  public var hosts: [Sight]

  /// Captures at the uplink of every MUX and host while a client makes connections.
  public static func take(in lab: Lab, scene: Scene, connections: Int) async throws(LabError) -> Self {
    let vip = scene.web.vip
    let names = scene.muxes + scene.hosts.map(\.node.name)
    var captures: [Capture] = []
    for name in names {
      captures.append(
        try await Capture.start(
          in: lab, on: name, device: Fabric.uplink, filter: "host \(vip) or ip proto 4"))
    }
    let load = ConnectLoad(address: vip, port: scene.web.endpoint.port, count: connections, concurrency: 20)
    _ = try await lab.connect(from: scene.client.name, load)
    var sights: [Sight] = []
    for (name, capture) in zip(names, captures) {
      try await capture.stop()
      sights.append(
        Sight(
          node: name, requests: try await capture.count("dst host \(vip)"),
          encapsulated: try await capture.count("ip proto 4"),
          replies: try await capture.count("src host \(vip)")))
    }
    return BypassMeasurement(
      muxes: sights.filter { scene.muxes.contains($0.node) },
      hosts: sights.filter { !scene.muxes.contains($0.node) })
  }
}
