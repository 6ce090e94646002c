public import Control
import Foundation
import Wire

/// What a node's files say of leased ports.
public struct KeptPorts: Codable, Hashable, Sendable {
  /// The node.
  public var node: String
  /// A host's leases, those that were recalled among them.
  public var leases: [PortLease]
  /// A MUX's ranges.
  public var ranges: [PortLease]

  /// Describes what a node keeps.
  public init(node: String, leases: [PortLease], ranges: [PortLease]) {
    self.node = node
    self.leases = leases
    self.ranges = ranges
  }
}

/// Looks at what every node keeps of leased ports, again and again: no range may be two VMs'.
public struct PortHistory: Codable, Hashable, Sendable {
  /// How often it was looked.
  public var samples = 0
  /// The most leases that hosts had at once.
  public var leases = 0
  /// Ranges that two VMs had, as two looks in a row saw them.
  public var shared: [String] = []
  /// Sums of a VIP's ports that did not come out right.
  public var lost: [String] = []

  private enum CodingKeys: CodingKey { case samples, leases, shared, lost }
  /// What the last look found, to be confirmed by the next: files are read one after the other.
  private var suspects: Set<String> = []

  /// Looks until the task is cancelled.
  static func watch(_ lab: Lab) async -> PortHistory {
    var history = PortHistory()
    while !Task.isCancelled {
      if let kept = try? await lab.keptPorts() { history.take(kept) }
      if let rows = try? await lab.ports() { history.take(rows) }
      try? await Task.sleep(for: .milliseconds(500))
    }
    return history
  }

  /// Compares what all nodes keep.
  mutating func take(_ kept: [KeptPorts]) {
    samples += 1
    var holders: [PortRange: Set<IPv4Address>] = [:]
    for lease in kept.flatMap(\.leases) { holders[lease.range, default: []].insert(lease.locator) }
    leases = max(leases, holders.count)
    let found = holders.filter { $0.value.count > 1 }.map { range, locators in
      "\(range) is \(locators.sorted().map(\.description).joined(separator: "'s and "))'s"
    }
    shared += found.filter { suspects.contains($0) && !shared.contains($0) }
    suspects = Set(found)
  }

  /// Checks the manager's sums.
  mutating func take(_ rows: [LabPorts]) {
    for row in rows where row.vm == nil {
      guard let capacity = row.capacity, let free = row.free, let orphaned = row.orphaned else { continue }
      let held = rows.filter { $0.vip == row.vip && $0.vm != nil }.map(\.allocated).reduce(0, +)
      guard held != row.allocated || held + free + orphaned != capacity, lost.count < Limits.namedReasons
      else {
        continue
      }
      lost.append("\(row.vip): \(held) leased, \(orphaned) orphaned, \(free) free of \(capacity)")
    }
  }

  /// The history as text.
  public var text: String {
    let verdict = shared.isEmpty ? "none was two VMs'" : shared.prefix(5).joined(separator: "; ")
    return "ranges, looked at \(samples) times in every node's files: at most \(leases) at once; \(verdict)\n"
      + lost.map { "  a sum is wrong: \($0)\n" }.joined()
  }
}

extension Lab {
  /// What every node keeps of leased ports on its disk.
  func keptPorts() async throws(LabError) -> [KeptPorts] {
    let files = topology.machines.map {
      "\($0.node.name)=\(directory(of: $0.node.name))/data/node-state.journal"
    }
    return try await operate(["leases"] + files, seconds: 60)
  }
}
