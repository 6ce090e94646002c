import Control
import Wire

/// What managers and hosts say of leased ports, joined; everything is counted in ports here, not in ranges.
struct LeasedPorts {
  /// What a VM has of one VIP.
  struct Holding {
    let machine: String
    let locator: IPv4Address
    let allocated: Int
    let recalled: Int
    /// What its host counted, for all VIPs together; nil at all VIPs but the first, and when nothing is known.
    let counted: PortStatus?
  }

  /// By VIP.
  let pools: [PortPoolStatus]
  private let holdings: [IPv4Address: [Holding]]
  private let counted: [IPv4Address: PortStatus]
  private let sums: [IPv4Address: PortSum]

  /// Joins them.
  init(_ state: ClusterState) {
    pools = state.ports
    let counted = Self.counted(state)
    let services = Dictionary(state.services.map { ($0.service.name, $0.service) }) { first, _ in first }
    let locators = Dictionary(state.machines.map { ($0.machine.name, $0.locator) }) { first, _ in first }
    var holdings: [IPv4Address: [Holding]] = [:]
    var seen: Set<IPv4Address> = []
    for pool in state.ports {
      var held = pool.holdings
      // A VM that has got nothing is shown where it would get something first.
      if let service = services[pool.service], service.vip == pool.vip {
        for machine in service.snat where !held.contains(where: { $0.machine == machine }) {
          guard let locator = locators[machine] else { continue }
          held.append(.init(machine: machine, locator: locator, ranges: 0, recalled: 0))
        }
      }
      holdings[pool.vip] = held.sorted { ($0.machine, $0.locator) < ($1.machine, $1.locator) }.map {
        holding in
        Holding(
          machine: holding.machine, locator: holding.locator, allocated: holding.ranges * PortRange.portCount,
          recalled: holding.recalled * PortRange.portCount,
          counted: seen.insert(holding.locator).inserted ? counted[holding.locator] : nil)
      }
    }
    self.holdings = holdings
    self.counted = counted
    var sums: [IPv4Address: PortSum] = [:]
    for service in services.values where holdings[service.vip] != nil {
      let own = state.ports.filter { $0.service == service.name }.flatMap { holdings[$0.vip] ?? [] }
      let figures = Set(own.map(\.locator)).compactMap { counted[$0] }
      if !figures.isEmpty { sums[service.vip] = PortSum(figures) }
    }
    self.sums = sums
  }

  /// What hosts count of their own VMs; what a node says of another's counts nothing.
  private static func counted(_ state: ClusterState) -> [IPv4Address: PortStatus] {
    let hosts = Dictionary(state.machines.map { ($0.locator, $0.machine.host) }) { first, _ in first }
    var counted: [IPv4Address: PortStatus] = [:]
    for node in state.nodes {
      for status in node.statistics?.ports ?? [] where hosts[status.locator] == node.node.name {
        counted[status.locator] = status
      }
    }
    return counted
  }

  /// Sorted by VM.
  func holdings(of pool: PortPoolStatus) -> [Holding] { holdings[pool.vip] ?? [] }

  /// What hosts counted of all VMs that have ports of a service's VIPs; at its first VIP only.
  func sum(of pool: PortPoolStatus) -> PortSum? { sums[pool.vip] }

  /// What its host counted of a VM.
  func counted(_ locator: IPv4Address) -> PortStatus? { counted[locator] }
}

/// What several VMs' hosts have counted, together.
struct PortSum {
  private(set) var portsInUse = 0
  private(set) var flows = 0
  private(set) var held = 0
  private(set) var requests: UInt64 = 0
  private(set) var refused: UInt64 = 0
  private(set) var dropped: UInt64 = 0
  /// The longest.
  private(set) var waitMicrosecondsP99: UInt64 = 0

  /// Adds up; what is beyond all numbers, as no host counts it, is the greatest of them.
  init(_ statuses: [PortStatus]) {
    for status in statuses {
      portsInUse = portsInUse.plus(status.portsInUse)
      flows = flows.plus(status.flows)
      held = held.plus(status.held)
      requests = requests.plus(status.requests)
      refused = refused.plus(status.refused)
      dropped = dropped.plus(status.dropped)
      waitMicrosecondsP99 = max(waitMicrosecondsP99, status.waitMicrosecondsP99)
    }
  }
}

extension FixedWidthInteger {
  /// The sum with a number that is not negative; at most the greatest there is.
  fileprivate func plus(_ other: Self) -> Self {
    let (sum, isTooLarge) = addingReportingOverflow(other)
    return isTooLarge ? .max : sum
  }
}
