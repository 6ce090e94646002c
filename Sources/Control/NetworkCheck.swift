import Wire

/// Judges a virtual network that an operation creates or changes.
struct NetworkCheck {
  let network: VirtualNetwork
  let around: Neighborhood
  private var key: ResourceKey { ResourceKey(.virtualNetwork, network.name) }

  /// Prepares the judgement.
  init(_ network: VirtualNetwork, around: Neighborhood) {
    self.network = network
    self.around = around
  }

  /// Notes all that is wrong.
  func run(_ findings: inout Findings) {
    let prefixes = network.prefixes
    guard !prefixes.isEmpty else {
      findings.refuse(key, "spec.prefixes", "is empty; give at least one prefix for the DIPs")
      return
    }
    guard prefixes.count <= Limits.prefixesPerNetwork else {
      findings.refuse(
        key, "spec.prefixes",
        "holds \(prefixes.count) prefixes; at most \(Limits.prefixesPerNetwork) are allowed")
      return
    }
    for (index, prefix) in prefixes.enumerated() {
      if let reason = NameCheck.prefix(prefix) { findings.refuse(key, "spec.prefixes[\(index)]", reason) }
      if let other = prefixes[..<index].first(where: prefix.overlaps) {
        findings.refuse(key, "spec.prefixes[\(index)]", "\(prefix) overlaps \(other) of the same network")
      }
    }
    checkMembers(&findings)
  }

  /// VMs that the operation does not touch must still have their DIPs inside.
  private func checkMembers(_ findings: inout Findings) {
    let outside = around.state.machines.values.filter { machine in
      machine.network == network.name && around.isUntouched(.virtualMachine, machine.name)
        && !network.prefixes.contains { $0.contains(machine.dip) }
    }
    for machine in outside.sorted(by: { $0.name < $1.name }) {
      findings.refuse(
        key, "spec.prefixes", "\(machine.dip), the DIP of VirtualMachine/\(machine.name), would lie outside")
    }
  }
}
