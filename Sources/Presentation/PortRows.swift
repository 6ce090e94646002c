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
    let sum = ports.sum(of: pool)
    let value = StructuredValue.fields(
      ("vip", .text("\(pool.vip)")), ("service", .text(pool.service)),
      ("capacity", .integer(pool.capacityPorts)),
      ("allocated", .integer(pool.allocatedPorts)), ("free", .integer(pool.freePorts)),
      ("recalled", .integer(pool.recalledPorts)), ("orphaned", .integer(pool.orphanedPorts))
    ).joined(sum.map(StatusValue.of) ?? .mapping([]))
    return ListingEntry(
      name: "\(pool.vip)", names: ["\(pool.vip)", pool.service],
      cells: {
        [
          "\(pool.vip)", pool.service, "", "\(pool.allocatedPorts)", sum.map { "\($0.portsInUse)" } ?? "",
          "\(pool.freePorts)", sum.map { "\($0.requests)" } ?? "", sum.map { "\($0.refused)" } ?? "",
          sum.map { Phrase.wait($0.waitMicrosecondsP99) } ?? "", "\(pool.recalledPorts)",
          "\(pool.orphanedPorts)", sum.map { "\($0.flows)" } ?? "", sum.map { "\($0.held)" } ?? "",
          sum.map { "\($0.dropped)" } ?? "", "", "",
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
