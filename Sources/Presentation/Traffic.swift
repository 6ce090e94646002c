import Control
import Wire

/// Sums of the counters that nodes report.
struct Traffic {
  /// What MUXes counted for one backend of one endpoint.
  struct Backend: Hashable {
    var packets: UInt64 = 0
    var bytes: UInt64 = 0
    var connections: UInt64 = 0
  }

  /// What a host counted for one VM.
  struct Machine: Hashable {
    /// By direction, as the host names it.
    var packets: [String: UInt64] = [:]
    var bytes: [String: UInt64] = [:]
    var flows: UInt64 = 0
  }

  private struct Key: Hashable {
    let vip: String
    let transport: String
    let port: String
    let locator: String
  }

  private var backends: [Key: Backend] = [:]
  private var machines: [String: Machine] = [:]

  /// Adds up over the given nodes.
  init(_ nodes: [NodeStatus]) {
    for counter in nodes.flatMap({ $0.statistics?.counters ?? [] }) {
      if let vm = counter.labels["vm"] {
        add(counter, vm: vm)
      } else if let locator = counter.labels["locator"] {
        add(counter, locator: locator)
      }
    }
  }

  /// Nil when nothing was counted.
  func backend(_ key: EndpointKey, _ locator: IPv4Address) -> Backend? {
    backends[
      Key(vip: "\(key.vip)", transport: "\(key.transport)", port: "\(key.port)", locator: "\(locator)")]
  }

  /// Nil when nothing was counted.
  func machine(_ name: String) -> Machine? { machines[name] }

  /// Packets of all backends; nil when nothing was counted.
  var muxPackets: UInt64? {
    backends.isEmpty ? nil : backends.values.reduce(0) { $0 &+ $1.packets }
  }

  private mutating func add(_ counter: Counter, locator: String) {
    let labels = counter.labels
    let key = Key(
      vip: labels["vip"] ?? "", transport: labels["transport"] ?? "", port: labels["port"] ?? "",
      locator: locator)
    switch counter.name {
    case "ananta_mux_packets_total": backends[key, default: Backend()].packets &+= counter.value
    case "ananta_mux_bytes_total": backends[key, default: Backend()].bytes &+= counter.value
    case "ananta_mux_connections_total": backends[key, default: Backend()].connections &+= counter.value
    default: break
    }
  }

  private mutating func add(_ counter: Counter, vm: String) {
    let direction = counter.labels["direction"] ?? ""
    switch counter.name {
    case "ananta_host_packets_total":
      machines[vm, default: Machine()].packets[direction, default: 0] &+= counter.value
    case "ananta_host_bytes_total":
      machines[vm, default: Machine()].bytes[direction, default: 0] &+= counter.value
    case "ananta_host_flows": machines[vm, default: Machine()].flows &+= counter.value
    default: break
    }
  }
}

/// Dropped packets of one node, by role and reason.
struct Drops {
  /// Sorted by role, then by reason; zeros left out.
  let rows: [(role: String, reason: String, packets: UInt64)]

  init(_ statistics: NodeStatistics) {
    rows = statistics.counters.filter { $0.name == "ananta_drops_total" && $0.value > 0 }.map { counter in
      (counter.labels["role"] ?? "", counter.labels["reason"] ?? "", counter.value)
    }.sorted { ($0.role, $0.reason) < ($1.role, $1.reason) }
  }
}
