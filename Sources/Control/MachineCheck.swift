import Wire

/// Judges a VM that an operation creates or changes.
struct MachineCheck {
  let machine: VirtualMachine
  let around: Neighborhood
  private var key: ResourceKey { ResourceKey(.virtualMachine, machine.name) }

  /// Prepares the judgement.
  init(_ machine: VirtualMachine, around: Neighborhood) {
    self.machine = machine
    self.around = around
  }

  /// Notes all that is wrong.
  func run(_ findings: inout Findings) {
    checkNetwork(&findings)
    checkHost(&findings)
    checkAttachment(&findings)
  }

  private func checkNetwork(_ findings: inout Findings) {
    let dip = machine.dip
    if let reason = NameCheck.address(dip) { findings.refuse(key, "spec.dip", reason) }
    guard let network = around.state.networks[machine.network] else {
      findings.refuse(
        key, "spec.network", "there is no VirtualNetwork/\(machine.network); apply it with or before this VM")
      return
    }
    if !network.prefixes.contains(where: { $0.contains(dip) }) {
      let prefixes = network.prefixes.map(\.description).joined(separator: ", ")
      findings.refuse(key, "spec.dip", "\(dip) lies outside VirtualNetwork/\(network.name) (\(prefixes))")
    }
    let place = Neighborhood.Place(network: network.name, dip: dip)
    if let other = around.holder(around.machinesByDIP[place], besides: machine.name) {
      findings.refuse(
        key, "spec.dip", "\(dip) is the DIP of VirtualMachine/\(other) in the same network already")
    }
    for name in around.servicesByMachine[machine.name] ?? [] where around.isUntouched(.service, name) {
      guard let service = around.state.services[name] else { continue }
      let networks = around.networks(of: service)
      guard networks.count > 1 else { continue }
      findings.refuse(
        key, "spec.network",
        "Service/\(name) would have VMs of several networks, \(networks.joined(separator: " and "))"
      )
    }
  }

  private func checkHost(_ findings: inout Findings) {
    guard let host = around.state.nodes[machine.host] else {
      findings.refuse(key, "spec.host", "there is no Node/\(machine.host); apply it with or before this VM")
      return
    }
    guard host.roles.contains(.host) else {
      findings.refuse(key, "spec.host", "Node/\(host.name) does not have the role host")
      return
    }
    guard let prefix = host.locators, Limits.locatorPrefixLength.contains(prefix.length) else { return }
    let capacity = LocatorRange(prefix).capacity
    let rank = around.rankOnHost[machine.name] ?? 0
    if rank >= capacity {
      findings.refuse(
        key, "spec.host",
        "the locators \(prefix) of Node/\(host.name) have room for \(capacity) VMs, and this is one more")
    }
  }

  private func checkAttachment(_ findings: inout Findings) {
    let other = around.holder(
      around.machinesByAttachment[Neighborhood.Device(machine)], besides: machine.name)
    switch machine.attachment {
    case .networkNamespace(let name, let device, _):
      if let reason = NameCheck.file(name, atMost: Limits.namespaceNameLength) {
        findings.refuse(key, "spec.attachment.netns", reason)
      }
      if let reason = NameCheck.file(device, atMost: Limits.deviceNameLength) {
        findings.refuse(key, "spec.attachment.device", reason)
      }
      if let other {
        findings.refuse(
          key, "spec.attachment",
          "\(device) in namespace \(name) of Node/\(machine.host) belongs to VirtualMachine/\(other)")
      }
    }
  }
}
