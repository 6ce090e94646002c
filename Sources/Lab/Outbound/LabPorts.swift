import Foundation
import Wire

/// A row of `ananta-ctl get snat -o json`, as far as the lab needs it; all is counted in ports.
public struct LabPorts: Codable, Hashable, Sendable {
  /// The VIP.
  public var vip: String
  /// The VM; nil in the row of the whole VIP.
  public var vm: String?
  /// Ports that are leased.
  public var allocated: Int
  /// Those of them that were recalled.
  public var recalled: Int
  /// Ports with connections.
  public var inUse: Int?
  /// Connections.
  public var connections: Int?
  /// Requests to the manager since the agent's start.
  public var requests: Int?
  /// Requests that were refused.
  public var refused: Int?
  /// Packets that were dropped for want of a port.
  public var dropped: Int?
  /// Ports that nobody has, in the row of the whole VIP.
  public var free: Int?
  /// Ports of a VM that is gone, in the row of the whole VIP.
  public var orphaned: Int?
  /// Ports that can be leased, in the row of the whole VIP.
  public var capacity: Int?
}

extension Lab {
  /// Who has which ports.
  public func ports() async throws(LabError) -> [LabPorts] {
    struct List: Decodable { var items: [LabPorts] }
    let text = try await control(["get", "snat", "-o", "json"]).check()
    do {
      return try JSONDecoder().decode(List.self, from: Data(text.utf8)).items
    } catch {
      throw LabError(.command, "`ananta-ctl get snat -o json` answered what is no list: \(error).")
    }
  }

  /// What a VM has of the VIP that it leaves by first, once its requests are counted.
  ///
  /// Hosts report every second and do not say when: two answers with a report between them count the same.
  func settledPorts(of machine: String) async throws(LabError) -> LabPorts {
    var last: LabPorts?
    for _ in 0..<Limits.statisticsLooks {
      try? await Task.sleep(for: .milliseconds(Limits.statisticsMilliseconds))
      let now =
        try await ports().first { $0.vm == machine }
        ?? LabPorts(vip: "", vm: machine, allocated: 0, recalled: 0, requests: 0)
      // A host says nothing of a VM that has nothing and never asked.
      if let last, (last.requests ?? 0) == (now.requests ?? 0) { return now }
      last = now
    }
    throw LabError(.timeout, "The requests of \(machine) for ports are not the same twice.")
  }

  /// Connects to the internet from a VM's namespace, by as many processes as have descriptors for all.
  public func reach(
    from member: String, _ load: OutboundLoad, isYielding: Bool = false
  ) async throws(LabError) -> OutboundReport {
    let isKeeping = load.keepSeconds != nil && load.concurrency > 0
    let processes = isKeeping && !isYielding ? (load.count - 1) / Limits.heldConnections + 1 : 1
    var parts: [Task<OutboundReport, any Error>] = []
    for index in 0..<processes {
      var part = load
      part.count = load.count * (index + 1) / processes - load.count * index / processes
      let chosen = part
      parts.append(Task { try await reachOnce(from: member, chosen, isYielding: isYielding) })
    }
    var whole = OutboundReport()
    for part in parts { whole.add(try await BackendStopMeasurement.value(of: part)) }
    return whole
  }

  private func reachOnce(
    from member: String, _ load: OutboundLoad, isYielding: Bool
  ) async throws(LabError) -> OutboundReport {
    var words = [
      "reach", "--count", "\(load.count)", "--concurrency", "\(load.concurrency)", "--per-second",
      "\(load.perSecond)", "--timeout", "\(load.timeoutMilliseconds)", "--seconds", "\(load.seconds)",
    ]
    for target in load.targets { words += ["--to", "\(target.address):\(target.port)"] }
    if let seconds = load.keepSeconds { words += ["--keep", "\(seconds)"] }
    let prefix = (isYielding ? ControlMeasurement.yielding : []) + Limits.allDescriptors
    return try await traffic(
      from: member, words, prefix: prefix,
      seconds: load.seconds + (load.keepSeconds ?? 0) + load.timeoutMilliseconds / 1000 + 120)
  }

  /// Calls a VM's ports back.
  func recallPorts(of machine: String) async throws(LabError) {
    try await control(["snat", "recall", "--vm", machine]).check()
  }
}

extension Topology.Client {
  /// Where it answers HTTP.
  var web: OutboundLoad.Target {
    OutboundLoad.Target(address: link.address, port: GuestServer.internetPorts.http)
  }
}
