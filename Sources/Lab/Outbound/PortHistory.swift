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

/// Looks at what every node keeps of leased ports, again and again: no range may be two VMs', and no MUX that packets
/// reach may send one to another VM than the one that has it.
public struct PortHistory: Codable, Hashable, Sendable {
  /// How often every node's files were read.
  public var samples = 0
  /// How often that was tried and they could not be.
  public var failures = 0
  /// The most leases that hosts had at once.
  public var leases = 0
  /// The most of these at once that a MUX had too.
  public var compared = 0
  /// Ranges that two VMs had, as two looks in a row saw them.
  public var shared: [String] = []
  /// Ranges that a MUX sent to another VM than the one that had them, as two looks in a row saw them.
  public var misdirected: [String] = []
  /// How often the managers' sums were checked; nobody answers while none leads.
  public var sums = 0
  /// Sums of a VIP's ports that did not come out right.
  public var lost: [String] = []

  private enum CodingKeys: CodingKey {
    case samples, failures, leases, compared, shared, misdirected, sums, lost
  }
  /// What the last look found, to be confirmed by the next: files are read one after the other.
  private var suspects: Set<String> = []

  /// Looks until the task is cancelled.
  static func watch(_ lab: Lab) async -> PortHistory {
    var history = PortHistory()
    while !Task.isCancelled {
      await history.look(at: lab)
      try? await Task.sleep(for: .milliseconds(500))
    }
    return history
  }

  private mutating func look(at lab: Lab) async {
    do {
      let kept = try await lab.keptPorts()
      var carriers: [IPv4Address: [String]] = [:]
      for vip in Set(kept.flatMap(\.leases).map(\.range.vip)) {
        carriers[vip] = try await lab.muxes(carrying: vip.description)
      }
      take(kept) { mux, vip in carriers[vip]?.contains(mux) ?? false }
    } catch {
      if !Task.isCancelled { failures += 1 }
    }
    if let rows = try? await lab.ports() { take(rows) }
  }

  /// Compares what all nodes keep.
  ///
  /// - Parameters:
  ///   - kept: of every node.
  ///   - isCarrying: whether the router sends a VIP to a MUX: what one that has died wrote down is nobody's harm.
  mutating func take(
    _ kept: [KeptPorts], isCarrying: (_ mux: String, _ vip: IPv4Address) -> Bool = { _, _ in true }
  ) {
    samples += 1
    var holders: [PortRange: Set<IPv4Address>] = [:]
    for lease in kept.flatMap(\.leases) { holders[lease.range, default: []].insert(lease.locator) }
    leases = max(leases, holders.count)
    let twice = holders.filter { $0.value.count > 1 }.map { range, locators in
      "\(range) is \(locators.sorted().map(\.description).joined(separator: "'s and "))'s"
    }
    var astray: [String] = []
    for mux in kept {
      var known = 0
      for entry in mux.ranges {
        guard let locators = holders[entry.range], isCarrying(mux.node, entry.range.vip) else { continue }
        known += 1
        guard !locators.contains(entry.locator), let holder = locators.min() else { continue }
        astray.append("\(mux.node) sends \(holder)'s \(entry.range) to \(entry.locator)")
      }
      compared = max(compared, known)
    }
    shared += twice.filter { suspects.contains($0) && !shared.contains($0) }
    misdirected += astray.filter { suspects.contains($0) && !misdirected.contains($0) }
    suspects = Set(twice + astray)
  }

  /// Checks the manager's sums.
  mutating func take(_ rows: [LabPorts]) {
    sums += 1
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

  /// What was found of ranges; that nothing is wrong can only be said of what was looked at.
  public var verdict: String {
    guard samples > 0 else { return "nothing could be read, \(failures) looks failed" }
    let found = shared + misdirected
    let what = "\(leases) at most, \(compared) of them at a MUX; \(samples) looks, \(failures) more failed"
    return "\(what): \(found.isEmpty ? "nothing is wrong" : found.prefix(5).joined(separator: "; "))"
  }

  /// The history as text.
  public var text: String {
    "ranges in every node's files: \(verdict)\n" + "the managers' sums: checked \(sums) times\n"
      + lost.map { "  a sum is wrong: \($0)\n" }.joined()
  }
}

extension Lab {
  /// What every node keeps of leased ports on its disk; refused when a file cannot be read.
  func keptPorts() async throws(LabError) -> [KeptPorts] {
    let files = topology.machines.map {
      "\($0.node.name)=\(directory(of: $0.node.name))/data/node-state.journal"
    }
    let kept: [KeptPorts] = try await operate(["leases"] + files, seconds: 60)
    guard kept.count == files.count else {
      throw LabError(.command, "Of \(files.count) nodes' files \(kept.count) can be read.")
    }
    return kept
  }
}
