import Wire

/// Judges a node that an operation creates or changes.
struct NodeCheck {
  let node: Node
  let around: Neighborhood
  private var key: ResourceKey { ResourceKey(.node, node.name) }

  /// Prepares the judgement.
  init(_ node: Node, around: Neighborhood) {
    self.node = node
    self.around = around
  }

  /// Notes all that is wrong.
  func run(_ findings: inout Findings) {
    checkAddress(&findings)
    checkRoles(&findings)
    checkLocators(&findings)
  }

  private func checkAddress(_ findings: inout Findings) {
    let address = node.address
    if let reason = NameCheck.address(address) { findings.refuse(key, "spec.address", reason) }
    if let other = around.holder(around.nodesByAddress[address], besides: node.name) {
      findings.refuse(
        key, "spec.address", "\(address) is the address of Node/\(other) already; give each node its own")
    }
    for service in around.servicesByVIP[address] ?? [] where around.isUntouched(.service, service) {
      findings.refuse(
        key, "spec.address", "\(address) is the VIP of Service/\(service); give the node another")
    }
    let own = IPv4Prefix(address, length: 32)
    for other in around.locators(overlapping: own) where other.node == node.name || isEarlier(other.node) {
      findings.refuse(
        key, "spec.address",
        "\(address) lies within the locators \(other.prefix) of Node/\(other.node), which are for VMs")
    }
  }

  private func checkRoles(_ findings: inout Findings) {
    if node.roles.isEmpty {
      findings.refuse(key, "spec.roles", "is empty; give at least one of host, mux, manager")
    }
    for (index, role) in node.roles.enumerated() where node.roles[..<index].contains(role) {
      findings.refuse(key, "spec.roles[\(index)]", "\(role.rawValue) is given twice")
    }
    guard !node.roles.contains(.host) else { return }
    let hosted = (around.machinesByHost[node.name] ?? []).filter { around.isUntouched(.virtualMachine, $0) }
    if let machine = hosted.first {
      let others = hosted.count > 1 ? " and \(hosted.count - 1) more" : ""
      findings.refuse(
        key, "spec.roles",
        "VirtualMachine/\(machine)\(others) is hosted here, so host must stay among the roles")
    }
  }

  private func checkLocators(_ findings: inout Findings) {
    guard let prefix = node.locators else {
      if node.roles.contains(.host) {
        findings.refuse(key, "spec.locators", "is missing; a host needs a prefix for its VMs' locators")
      }
      return
    }
    guard node.roles.contains(.host) else {
      findings.refuse(key, "spec.locators", "only a host has locators; add the role host or leave them out")
      return
    }
    guard Limits.locatorPrefixLength.contains(prefix.length) else {
      let range = Limits.locatorPrefixLength
      findings.refuse(
        key, "spec.locators", "\(prefix) is not between /\(range.lowerBound) and /\(range.upperBound) long")
      return
    }
    if let reason = NameCheck.prefix(prefix) { findings.refuse(key, "spec.locators", reason) }
    checkNeighbors(of: prefix, &findings)
    let hosted = around.machinesByHost[node.name] ?? []
    let capacity = LocatorRange(prefix).capacity
    let areAllUntouched = hosted.allSatisfy { around.isUntouched(.virtualMachine, $0) }
    if areAllUntouched, hosted.count > capacity {
      findings.refuse(
        key, "spec.locators", "\(prefix) has room for \(capacity) VMs, and \(hosted.count) are hosted here")
    }
  }

  private func checkNeighbors(of prefix: IPv4Prefix, _ findings: inout Findings) {
    for other in around.locators(overlapping: prefix) where other.node != node.name && isEarlier(other.node) {
      findings.refuse(
        key, "spec.locators", "\(prefix) overlaps the locators \(other.prefix) of Node/\(other.node)")
    }
    for (address, names) in around.nodesByAddress.sorted(by: { $0.key < $1.key })
    where prefix.contains(address) {
      for name in names where name != node.name && isEarlier(name) {
        findings.refuse(
          key, "spec.locators",
          "\(prefix) holds \(address), the address of Node/\(name); locators are for VMs alone")
      }
    }
    for (vip, names) in around.servicesByVIP.sorted(by: { $0.key < $1.key }) where prefix.contains(vip) {
      for name in names where around.isUntouched(.service, name) {
        findings.refuse(key, "spec.locators", "\(prefix) holds \(vip), the VIP of Service/\(name)")
      }
    }
  }

  /// Whether the other node came before this one, so that this one is to blame for what they share.
  private func isEarlier(_ other: String) -> Bool {
    let mine = around.order[key] ?? -1
    return around.order[ResourceKey(.node, other)] ?? -1 < mine
  }
}
