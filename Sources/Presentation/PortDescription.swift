import Control
import Wire

/// What descriptions say of leased ports.
struct PortDescription {
  private let state: ClusterState
  private let ports: LeasedPorts

  /// Prepares to describe those of a state.
  init(_ state: ClusterState) {
    self.state = state
    ports = LeasedPorts(state)
  }

  /// The text about a VIP that VMs leave by; nil when none do.
  func vip(_ name: String) -> String? {
    guard let pool = ports.pools.first(where: { "\($0.vip)" == name }) else { return nil }
    var text = DescriptionText()
    text.fact("VIP", "\(pool.vip)")
    text.fact("Service", pool.service.isEmpty ? "none any more" : pool.service)
    if let status = state.services.first(where: { $0.service.name == pool.service }) {
      text.fact("Announced", Phrase.truth(status.isAnnounced))
      text.fact("Each VM", "at most \(status.service.snatPortsPerMachine) ports")
      if status.service.vip == pool.vip {
        let endpoints = status.service.endpoints.map { "\($0.port)/\($0.transport)" }
        text.fact("Endpoints", endpoints.joined(separator: ", "))
      }
    }
    text.fact("Ports", "\(pool.capacityPorts)")
    text.fact("Allocated", "\(pool.allocatedPorts)")
    text.fact("Recalled", pool.recalledPorts == 0 ? nil : "\(pool.recalledPorts)")
    text.fact("Orphaned", pool.orphanedPorts == 0 ? nil : "\(pool.orphanedPorts)")
    text.fact("Free", "\(pool.freePorts)")
    text.table("Leased ports", table([pool]))
    return text.text
  }

  /// Who leaves by a service's VIPs.
  func add(service: Service, to text: inout DescriptionText) {
    text.fact("SNAT", service.snat.joined(separator: ", "))
    text.fact("SNAT VIPs", service.snatVIPs.map(\.description).joined(separator: ", "))
    guard !service.snat.isEmpty else { return }
    text.fact("SNAT ports", "at most \(service.snatPortsPerMachine) for each VM")
  }

  /// The ports of all VIPs of a service, by VM.
  func table(of service: Service) -> TextTable {
    table(ports.pools.filter { $0.service == service.name })
  }

  /// What a VM has, and what its host says of it.
  func add(machine: MachineStatus, to text: inout DescriptionText) {
    let name = machine.machine.name
    let held = ports.pools.compactMap { pool -> String? in
      guard let holding = ports.holdings(of: pool).first(where: { $0.machine == name }) else { return nil }
      let recalled = holding.recalled == 0 ? "" : ", \(holding.recalled) recalled"
      return "\(holding.allocated) of \(pool.vip)\(recalled)"
    }
    text.fact("Leased ports", held.joined(separator: "; "))
    guard let counted = ports.counted(machine.locator) else { return }
    text.fact("Ports in use", "\(counted.portsInUse), by \(counted.flows) connections")
    text.fact("Port requests", "\(counted.requests), \(counted.refused) refused\(waits(counted))")
    text.fact("Without port", "\(counted.held) packets wait, \(counted.dropped) dropped")
  }

  private func waits(_ ports: PortStatus) -> String {
    guard ports.waitMicrosecondsP99 > 0 else { return "" }
    let (median, p99) = (Phrase.wait(ports.waitMicrosecondsP50), Phrase.wait(ports.waitMicrosecondsP99))
    return "; answered after \(median) (p50), \(p99) (p99)"
  }

  private func table(_ pools: [PortPoolStatus]) -> TextTable {
    var table = TextTable([
      "VIP", "VM", "ALLOCATED", "RECALLED", "IN USE", "CONNECTIONS", "REQUESTS", "REFUSED", "WAIT P99",
      "HELD",
      "DROPPED",
    ])
    for pool in pools {
      for holding in ports.holdings(of: pool) {
        let counted = holding.counted
        table.add([
          "\(pool.vip)", holding.machine, "\(holding.allocated)", "\(holding.recalled)",
          counted.map { "\($0.portsInUse)" } ?? "", counted.map { "\($0.flows)" } ?? "",
          counted.map { "\($0.requests)" } ?? "", counted.map { "\($0.refused)" } ?? "",
          counted.map { Phrase.wait($0.waitMicrosecondsP99) } ?? "", counted.map { "\($0.held)" } ?? "",
          counted.map { "\($0.dropped)" } ?? "",
        ])
      }
    }
    return table
  }
}
