import Control
import Manifest
import Wire

/// One row for each VIP that VMs leave by, and one for each VM that has ports of it.
struct PortRows {
  static let columns = ListingColumns(
    narrow: ["VIP", "SERVICE", "VM", "ALLOCATED", "INUSE", "FREE", "REQUESTS", "REFUSED", "WAITP99"],
    wide: ["RECALLED", "ORPHANED", "CONNECTIONS", "HELD", "DROPPED", "WAITP50", "LOCATOR"])

  private let ports: LeasedPorts

  /// Prepares the rows of a state.
  init(_ state: ClusterState) { ports = LeasedPorts(state) }

  var entries: [ListingEntry] {
    ports.pools.flatMap { pool in [entry(pool)] + ports.holdings(of: pool).map { entry($0, of: pool) } }
  }

  private func entry(_ pool: PortPoolStatus) -> ListingEntry {
    let value = StructuredValue.fields(
      ("vip", .text("\(pool.vip)")), ("service", .text(pool.service)),
      ("capacity", .integer(pool.capacityPorts)),
      ("allocated", .integer(pool.allocatedPorts)), ("free", .integer(pool.freePorts)),
      ("recalled", .integer(pool.recalledPorts)), ("orphaned", .integer(pool.orphanedPorts)))
    return ListingEntry(
      name: "\(pool.vip)", names: ["\(pool.vip)", pool.service],
      cells: {
        [
          "\(pool.vip)", pool.service, "", "\(pool.allocatedPorts)", "", "\(pool.freePorts)", "", "", "",
          "\(pool.recalledPorts)", "\(pool.orphanedPorts)", "", "", "", "", "",
        ]
      }, json: value, yaml: value.yaml)
  }

  private func entry(_ holding: LeasedPorts.Holding, of pool: PortPoolStatus) -> ListingEntry {
    let value = StructuredValue.fields(
      ("vip", .text("\(pool.vip)")), ("service", .text(pool.service)), ("vm", .text(holding.machine)),
      ("locator", .text("\(holding.locator)")), ("allocated", .integer(holding.allocated)),
      ("recalled", .integer(holding.recalled))
    ).joined(holding.counted.map(StatusValue.of) ?? .mapping([]))
    return ListingEntry(
      name: "\(pool.vip)/\(holding.machine)", names: ["\(pool.vip)", pool.service, holding.machine],
      cells: {
        let counted = holding.counted
        return [
          "\(pool.vip)", pool.service, holding.machine, "\(holding.allocated)",
          counted.map { "\($0.portsInUse)" } ?? "", counted.map { "\($0.freePorts)" } ?? "",
          counted.map { "\($0.requests)" } ?? "", counted.map { "\($0.refused)" } ?? "",
          counted.map { Phrase.wait($0.waitMicrosecondsP99) } ?? "", "\(holding.recalled)", "",
          counted.map { "\($0.flows)" } ?? "", counted.map { "\($0.held)" } ?? "",
          counted.map { "\($0.dropped)" } ?? "", counted.map { Phrase.wait($0.waitMicrosecondsP50) } ?? "",
          "\(holding.locator)",
        ]
      }, json: value, yaml: value.yaml)
  }
}

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

  /// Joins them.
  init(_ state: ClusterState) {
    pools = state.ports
    let reported = state.nodes.flatMap { $0.statistics?.ports ?? [] }
    let counted = Dictionary(reported.map { ($0.locator, $0) }) { _, newer in newer }
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
  }

  /// Sorted by VM.
  func holdings(of pool: PortPoolStatus) -> [Holding] { holdings[pool.vip] ?? [] }

  /// What its host counted of a VM.
  func counted(_ locator: IPv4Address) -> PortStatus? { counted[locator] }
}

extension PortPoolStatus {
  var capacityPorts: Int { capacity * PortRange.portCount }
  var freePorts: Int { free * PortRange.portCount }
  var orphanedPorts: Int { orphaned * PortRange.portCount }
  var allocatedPorts: Int { holdings.reduce(0) { $0 + $1.ranges } * PortRange.portCount }
  var recalledPorts: Int { holdings.reduce(0) { $0 + $1.recalled } * PortRange.portCount }
}

extension PortStatus {
  /// Ports of the host's ranges on which there is no connection.
  var freePorts: Int { max(0, ranges * PortRange.portCount - portsInUse) }
}
