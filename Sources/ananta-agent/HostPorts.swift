internal import Control
internal import Wire

/// Which leases the workers have been told of: the difference to those that the manager has given makes their orders.
struct HostPorts {
  /// A VM as its worker knows it, and its ranges; true: recalled.
  private struct Told {
    var index: UInt32
    var ranges: [PortRange: Bool] = [:]
  }

  private var told: [IPv4Address: Told] = [:]

  /// Workers have let go of these VMs, and of their leases with them.
  mutating func forget(_ locators: Set<IPv4Address>) {
    for locator in locators { told[locator] = nil }
  }

  /// What brings the worker of a VM to the leases that the manager has given it.
  mutating func orders(
    for entry: MachineDirectory.Entry, _ kept: KeptState, _ board: PortBoard
  ) -> [PortOrder] {
    let locator = entry.machine.locator
    let wanted = kept.state.leases[locator] ?? [:]
    var present = told[locator] ?? Told(index: entry.index)
    if present.index != entry.index { present = Told(index: entry.index) }
    var orders: [PortOrder] = []
    for range in present.ranges.keys.filter({ wanted[$0] == nil }).sorted() {
      present.ranges[range] = nil
      orders.append(.end(PortLease(range, to: locator), machine: entry.index))
    }
    for (range, isRecalled) in wanted.sorted(by: { $0.key < $1.key })
    where present.ranges[range] != isRecalled {
      let lease = PortLease(range, to: locator)
      guard !kept.returned.contains(lease), !board.isGivenBack(lease) else { continue }
      if present.ranges[range] == nil || !isRecalled { orders.append(.lease(lease, machine: entry.index)) }
      if isRecalled { orders.append(.recall(lease, machine: entry.index)) }
      present.ranges[range] = isRecalled
    }
    told[locator] = present.ranges.isEmpty ? nil : present
    return orders
  }

  /// What one command asks of a VM's worker; nil when that is nothing.
  mutating func order(
    _ command: Command, for entry: MachineDirectory.Entry, _ kept: KeptState, _ board: PortBoard
  ) -> PortOrder? {
    let locator = entry.machine.locator
    if told[locator]?.index != entry.index { told[locator] = Told(index: entry.index) }
    switch command {
    case .leasePortRange(let lease):
      guard !kept.returned.contains(lease), !board.isGivenBack(lease) else { return nil }
      told[locator]?.ranges[lease.range] = false
      return .lease(lease, machine: entry.index)
    case .recallPortRange(let lease):
      guard told[locator]?.ranges[lease.range] != nil, !kept.returned.contains(lease) else { return nil }
      told[locator]?.ranges[lease.range] = true
      return .recall(lease, machine: entry.index)
    case .endPortRange(let lease):
      told[locator]?.ranges[lease.range] = nil
      return .end(lease, machine: entry.index)
    default: return nil
    }
  }
}
