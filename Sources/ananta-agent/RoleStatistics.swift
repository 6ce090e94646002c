internal import Control
internal import Dataplane
internal import HostAgent
internal import KernelPath
internal import Synchronization
internal import Wire

/// A MUX's numbers under the names that operators know.
enum MuxStatistics {
  /// All workers together.
  static func counters(
    _ workers: [MuxWorker], _ map: VIPMap, _ forwarding: KernelForwarding?
  ) -> [Counter] {
    let kernel = forwarding?.counters(map)
    var byBackend: [[String: String]: (packets: UInt64, bytes: UInt64, connections: UInt64)] = [:]
    var drops: [DropReason: UInt64] = [:]
    for counts in workers.map({ $0.counters.backends(map) }) + [kernel?.backends ?? []] {
      for count in counts {
        let labels = [
          "vip": "\(count.address.vip)", "transport": count.address.proto == .tcp ? "tcp" : "udp",
          "port": "\(count.address.port)", "locator": "\(count.locator)",
        ]
        byBackend[labels, default: (0, 0, 0)].packets += count.packets
        byBackend[labels, default: (0, 0, 0)].bytes += count.bytes
        byBackend[labels, default: (0, 0, 0)].connections += count.connections
      }
    }
    for counted in workers.map(\.counters.drops) + [kernel?.drops ?? [:]] {
      drops.merge(counted, uniquingKeysWith: +)
    }
    var counters = snat(workers.map { $0.counters.vips(map) } + [kernel?.vips ?? []])
    for (labels, count) in byBackend {
      counters.append(Counter(name: "ananta_mux_packets_total", labels: labels, value: count.packets))
      counters.append(Counter(name: "ananta_mux_bytes_total", labels: labels, value: count.bytes))
      counters.append(Counter(name: "ananta_mux_connections_total", labels: labels, value: count.connections))
    }
    counters += drops.map { reason, value in
      Counter(name: "ananta_drops_total", labels: ["role": "mux", "reason": "\(reason)"], value: value)
    }
    let refused = workers.reduce(UInt64(0)) { $0 + $1.refused.load(ordering: .relaxed) }
    counters += dropped(refused, "refused", role: "mux")
    for (reason, value) in [("unresolved", kernel?.unresolved), ("tooBig", kernel?.tooBig)] {
      guard let value, value > 0 else { continue }
      let labels = ["reason": reason]
      counters.append(Counter(name: "ananta_mux_left_to_agent_total", labels: labels, value: value))
    }
    let records = workers.reduce(forwarding?.recordCount ?? 0) {
      $0 + $1.flowRecords.load(ordering: .relaxed)
    }
    counters.append(Counter(name: "ananta_mux_flow_records", labels: [:], value: UInt64(max(0, records))))
    return inOrder(counters)
  }

  /// By name and labels, each written once: with thousands of counters, comparing costs more than counting.
  private static func inOrder(_ counters: [Counter]) -> [Counter] {
    let keyed = counters.map { counter in
      let labels = counter.labels.sorted { $0.key < $1.key }
      return (key: labels.reduce(into: [counter.name]) { $0 += [$1.key, $1.value] }, counter: counter)
    }
    return keyed.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.counter)
  }
}

extension MuxStatistics {
  /// What came to the SNAT ranges of each VIP.
  private static func snat(_ counts: [[VIPCount]]) -> [Counter] {
    var byVIP: [IPv4Address: (packets: UInt64, bytes: UInt64)] = [:]
    for count in counts.joined() {
      byVIP[count.vip, default: (0, 0)].packets += count.packets
      byVIP[count.vip, default: (0, 0)].bytes += count.bytes
    }
    return byVIP.flatMap { vip, count in
      [
        Counter(name: "ananta_mux_snat_packets_total", labels: ["vip": "\(vip)"], value: count.packets),
        Counter(name: "ananta_mux_snat_bytes_total", labels: ["vip": "\(vip)"], value: count.bytes),
      ]
    }
  }
}

/// A host's numbers under the names that operators know.
enum HostStatistics {
  /// All workers together.
  static func counters(
    _ workers: [HostWorker], _ entries: [MachineDirectory.Entry], _ kernel: HostKernel?,
    receiveQueueDrops: UInt64
  ) -> [Counter] {
    var counters: [Counter] = []
    for entry in entries {
      let number = HostWorker.number(of: entry.machine.locator, among: workers.count)
      let count = workers[number].counters.machine(entry.index)
      let carried = (try? kernel?.count(machine: entry.index)) ?? MachineCount()
      let vm = entry.machine.name
      for (direction, packets, bytes) in [
        ("in", count.packetsIn + carried.packetsIn, count.bytesIn + carried.bytesIn),
        ("out", count.packetsOut + carried.packetsOut, count.bytesOut + carried.bytesOut),
      ] {
        let labels = ["vm": vm, "direction": direction]
        counters.append(Counter(name: "ananta_host_packets_total", labels: labels, value: packets))
        counters.append(Counter(name: "ananta_host_bytes_total", labels: labels, value: bytes))
      }
      counters.append(Counter(name: "ananta_host_flows", labels: ["vm": vm], value: count.flows))
      counters += portCounters(vm, workers[number].counters.ports(entry.index))
    }
    for reason in DropReason.allCases {
      let value = workers.reduce(UInt64(0)) { $0 + $1.counters.dropped(reason) }
      guard value > 0 else { continue }
      counters.append(
        Counter(name: "ananta_drops_total", labels: ["role": "host", "reason": "\(reason)"], value: value))
    }
    let refused = workers.reduce(UInt64(0)) { $0 + $1.refused.load(ordering: .relaxed) }
    let lost = workers.reduce(UInt64(0)) { $0 + $1.lost.load(ordering: .relaxed) }
    return counters + dropped(refused, "refused", role: "host") + dropped(lost, "unreadable", role: "host")
      + dropped(receiveQueueDrops, "receiveQueueFull", role: "host")
  }
}

extension HostStatistics {
  /// The leased ports of the VMs that have some, or have asked for some, in order of locator.
  static func ports(_ workers: [HostWorker], _ entries: [MachineDirectory.Entry]) -> [PortStatus] {
    entries.compactMap { entry in
      let locator = entry.machine.locator
      let number = HostWorker.number(of: locator, among: workers.count)
      let ports = workers[number].counters.ports(entry.index)
      guard ports.ranges > 0 || ports.requests > 0 || ports.dropped > 0 else { return nil }
      return PortStatus(locator, ports)
    }.sorted { $0.locator < $1.locator }
  }

  /// The same as numbers for a time series; waits are only in the status.
  static func portCounters(_ vm: String, _ ports: HostCounters.Ports) -> [Counter] {
    guard ports.ranges > 0 || ports.requests > 0 || ports.dropped > 0 else { return [] }
    return [
      ("ananta_host_snat_ranges", ports.ranges), ("ananta_host_snat_ports_in_use", ports.portsInUse),
      ("ananta_host_snat_flows", ports.flows), ("ananta_host_snat_held", ports.held),
      ("ananta_host_snat_requests_total", ports.requests), ("ananta_host_snat_refused_total", ports.refused),
      ("ananta_host_snat_dropped_total", ports.dropped),
    ].map { Counter(name: $0.0, labels: ["vm": vm], value: $0.1) }
  }
}

extension PortStatus {
  /// What a worker has counted of a VM.
  init(_ locator: IPv4Address, _ ports: HostCounters.Ports) {
    self.init(
      locator: locator, ranges: Int(clamping: ports.ranges), portsInUse: Int(clamping: ports.portsInUse),
      flows: Int(clamping: ports.flows), held: Int(clamping: ports.held), requests: ports.requests,
      refused: ports.refused, dropped: ports.dropped, waitMicrosecondsP50: ports.waitMicrosecondsP50,
      waitMicrosecondsP99: ports.waitMicrosecondsP99)
  }
}

/// Packets that were lost before or after they were judged: `refused` by the kernel, which has them from us,
/// as a device that is gone or down does; `unreadable`, since the kernel has no words for them;
/// `receiveQueueFull`.
private func dropped(_ count: UInt64, _ reason: String, role: String) -> [Counter] {
  guard count > 0 else { return [] }
  return [Counter(name: "ananta_drops_total", labels: ["role": role, "reason": reason], value: count)]
}
