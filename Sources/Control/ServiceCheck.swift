import Wire

/// Judges a service that an operation creates or changes; its endpoints are `EndpointCheck`'s.
struct ServiceCheck {
  let service: Service
  let around: Neighborhood
  private var key: ResourceKey { ResourceKey(.service, service.name) }

  /// Prepares the judgement.
  init(_ service: Service, around: Neighborhood) {
    self.service = service
    self.around = around
  }

  /// Notes all that is wrong.
  func run(_ findings: inout Findings) {
    checkVIP(&findings)
    checkEndpoints(&findings)
    checkSNAT(&findings)
    checkPorts(&findings)
    let networks = around.networks(of: service)
    if networks.count > 1 {
      findings.refuse(
        key, "spec.endpoints",
        "its VMs belong to several networks, \(networks.joined(separator: " and ")); a service belongs to one"
      )
    }
    if service.fastPath {
      findings.warn(key, "spec.fastPath", "is stored; this version sends every packet by way of the MUXes")
    }
  }

  private func checkVIP(_ findings: inout Findings) {
    check(service.vip, "spec.vip", &findings)
  }

  private func check(_ vip: IPv4Address, _ path: String, _ findings: inout Findings) {
    if let reason = NameCheck.address(vip) { findings.refuse(key, path, reason) }
    if let other = around.holder(around.servicesByVIP[vip], besides: service.name) {
      findings.refuse(
        key, path, "\(vip) is the VIP of Service/\(other) already; give each service its own")
    }
    for node in around.nodesByAddress[vip] ?? [] {
      findings.refuse(key, path, "\(vip) is the address of Node/\(node)")
    }
    for other in around.locators(overlapping: IPv4Prefix(vip, length: 32)) {
      findings.refuse(key, path, "\(vip) lies within the locators \(other.prefix) of Node/\(other.node)")
    }
  }

  private func checkEndpoints(_ findings: inout Findings) {
    if service.endpoints.isEmpty, service.snat.isEmpty {
      findings.refuse(
        key, "spec.endpoints", "is empty, and so is snat; give at least one endpoint or one VM for snat")
    }
    guard service.endpoints.count <= Limits.endpointsPerService else {
      findings.refuse(
        key, "spec.endpoints",
        "holds \(service.endpoints.count) endpoints; at most \(Limits.endpointsPerService) are allowed")
      return
    }
    for index in service.endpoints.indices {
      EndpointCheck(index, of: service, around: around).run(&findings)
    }
  }

  private func checkSNAT(_ findings: inout Findings) {
    guard !service.snat.isEmpty else { return }
    guard service.snat.count <= Limits.snatPerService else {
      findings.refuse(
        key, "spec.snat", "holds \(service.snat.count) VMs; at most \(Limits.snatPerService) are allowed")
      return
    }
    var seen: Set<String> = []
    for (index, machine) in service.snat.enumerated() {
      let path = "spec.snat[\(index)]"
      if !seen.insert(machine).inserted {
        findings.refuse(key, path, "VirtualMachine/\(machine) is given twice")
      }
      if around.state.machines[machine] == nil {
        findings.refuse(
          key, path, "there is no VirtualMachine/\(machine); apply it with or before this service")
      }
      if let other = around.holder(around.servicesBySource[machine], besides: service.name) {
        findings.refuse(key, path, "VirtualMachine/\(machine) leaves by the VIP of Service/\(other) already")
      }
    }
  }

  private func checkPorts(_ findings: inout Findings) {
    guard service.snatVIPs.count <= Limits.snatVIPsPerService else {
      let limit = Limits.snatVIPsPerService
      findings.refuse(
        key, "spec.snatVIPs", "holds \(service.snatVIPs.count) addresses; at most \(limit) are allowed")
      return
    }
    for (index, vip) in service.snatVIPs.enumerated() {
      let path = "spec.snatVIPs[\(index)]"
      check(vip, path, &findings)
      if vip == service.vip {
        findings.refuse(key, path, "\(vip) is spec.vip, whose ports are used anyway")
      } else if service.snatVIPs[..<index].contains(vip) {
        findings.refuse(key, path, "\(vip) is given twice")
      }
    }
    let (ports, range) = (service.snatPortsPerMachine, Limits.snatPortsPerMachine)
    guard range.contains(ports), ports % PortRange.portCount == 0 else {
      let bounds = "\(range.lowerBound) to \(range.upperBound)"
      findings.refuse(key, "spec.snatPortsPerMachine", "\(ports) is not a multiple of 8 from \(bounds)")
      return
    }
    guard !service.snat.isEmpty else { return }
    if service.snat.count > rangeCount {
      findings.refuse(
        key, "spec.snat",
        "\(service.snat.count) VMs need a range of ports each, and its VIPs have \(rangeCount); add to snatVIPs"
      )
    } else if ports > rangeCount * PortRange.portCount {
      findings.warn(
        key, "spec.snatPortsPerMachine",
        "\(ports) is more than the \(rangeCount * PortRange.portCount) ports that its VIPs have")
    }
  }

  /// Ranges of ports that its VIPs have besides those which hold an endpoint's port.
  private var rangeCount: Int {
    let each = (65_536 - Int(Limits.firstLeasedPort)) / PortRange.portCount
    let excluded = Set(service.endpoints.map(\.port).filter { $0 >= Limits.firstLeasedPort }.map { $0 >> 3 })
    return each * (1 + service.snatVIPs.count) - excluded.count
  }
}
