import Control
public import Wire

/// Bulk data through VIPs beside bulk data that is only routed, taken in turn, with one TCP stream and with several.
///
/// Throughput on a shared machine changes from second to second: only runs that alternate can be compared.
public struct BulkBenchmark: Codable, Hashable, Sendable {
  /// A way that the data takes.
  public struct Way: Codable, Hashable, Sendable {
    /// What it is.
    public var name: String
    /// Where the client connects to.
    public var address: IPv4Address
    /// The server's port.
    public var port: Int
    /// Gigabits per second that arrived, for each number of streams in each round.
    public var rates: [[Double]]

    /// A way and what was measured of it.
    public init(name: String, address: IPv4Address, port: Int, rates: [[Double]] = []) {
      self.name = name
      self.address = address
      self.port = port
      self.rates = rates
    }

    /// The median of the rounds, for each number of streams.
    public var medians: [Double] {
      rates.map { rounds in
        let sorted = rounds.sorted()
        guard let upper = sorted.dropFirst(sorted.count / 2).first else { return 0 }
        return sorted.count.isMultiple(of: 2) ? (sorted[sorted.count / 2 - 1] + upper) / 2 : upper
      }
    }
  }

  /// How many TCP streams at once.
  public var streams: [Int]
  /// Routed to a host; routed by the MUX to a namespace like a VM's; through each VIP that has iperf3 behind it.
  public var ways: [Way]

  /// Joins measured ways, of which the second is the one that others are compared with.
  public init(streams: [Int], ways: [Way]) {
    self.streams = streams
    self.ways = ways
  }

  /// Place of the way that the others are compared with.
  private static let reference = 1
  private static let port = 5202

  /// Measures in a lab that stands and is then good for nothing else.
  public static func take(
    in lab: inout Lab, streams: [Int], rounds: Int, seconds: Int, progress: @Sendable (String) -> Void
  ) async throws(LabError) -> Self {
    let topology = lab.topology
    guard let client = topology.clients.first?.name, let mux = topology.machines(with: .mux).first,
      let host = topology.machines(with: .host).first
    else { throw LabError(.topology, "A benchmark needs a client, a MUX and a host; bulk.yaml has them.") }
    let plain = try await PlainRoute.lay(in: &lab, mux: mux, host: host)
    var ways = [
      Way(name: "routed to \(host.node.name)", address: host.node.address, port: port),
      Way(name: "routed by \(mux.node.name) and \(host.node.name)", address: PlainRoute.address, port: port),
    ]
    for offer in topology.offers {
      for (endpoint, server) in zip(offer.service.endpoints, offer.servers) where server == .iperf3 {
        ways.append(
          Way(name: "VIP of \(offer.service.name)", address: offer.service.vip, port: Int(endpoint.port)))
      }
    }
    guard ways.count > 2 else {
      throw LabError(.topology, "A benchmark needs an endpoint with `server: iperf3`; bulk.yaml has two.")
    }
    let servers = [
      try await ThroughputMeasurement.startServer(
        in: lab, on: host.node.name, namespace: try lab.namespace(of: host.node.name), port: port),
      try await ThroughputMeasurement.startServer(
        in: lab, on: PlainRoute.member, namespace: plain.namespace, port: port),
    ]
    defer { for server in servers { server.signal(15) } }
    for (place, count) in streams.enumerated() {
      for index in ways.indices { ways[index].rates.append([]) }
      for round in 1...max(1, rounds) {
        progress("\(count) \(count == 1 ? "stream" : "streams"), round \(round) of \(rounds)")
        for index in ways.indices {
          let run = try await ThroughputMeasurement.run(
            in: lab, from: client, to: ways[index].address, port: ways[index].port, seconds: seconds,
            streams: count)
          ways[index].rates[place].append(run.gigabitsPerSecond)
        }
      }
    }
    return BulkBenchmark(streams: streams, ways: ways)
  }

  /// Medians, least and most, and the ratio to plain routing by the same nodes.
  public var table: String {
    var table = TextTable(["WAY", "STREAMS", "GBIT/S", "LEAST", "MOST", "OF ROUTED BY THE SAME NODES"])
    for (place, count) in streams.enumerated() {
      for (index, way) in ways.enumerated() {
        let median = way.medians[place]
        let reference = ways[Self.reference].medians[place]
        let ratio = index == Self.reference || reference == 0 ? "-" : text(median / reference)
        table.add([
          way.name, "\(count)", text(median), text(way.rates[place].min() ?? 0),
          text(way.rates[place].max() ?? 0),
          ratio,
        ])
      }
    }
    return table.text
  }

  private func text(_ value: Double) -> String {
    let hundredths = Int((value * 100).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)"
  }
}
