import Control

/// The text of an agent's configuration file; docs/configuration.md is its contract.
struct AgentConfiguration {
  /// The node.
  let machine: Topology.Machine
  /// What the lab consists of.
  let topology: Topology
  /// Where the agent keeps its state.
  let dataDirectory: String
  /// Where the lab keeps certificates.
  let certificates: LabCertificates

  /// The file's text.
  var text: String {
    let node = machine.node
    let managers = topology.machines(with: .manager)
      .map { "\($0.node.address):\(Topology.managerPort)" }.joined(separator: ", ")
    var lines = [
      "node: \(node.name)", "address: \(node.address)",
      "roles: [\(node.roles.map(\.rawValue).joined(separator: ", "))]", "managers: [\(managers)]",
      "dataDirectory: \(dataDirectory)",
    ]
    switch topology.security {
    case .plaintext: lines.append("security: plaintext")
    case .tls:
      let files = certificates.files(of: node.name)
      lines += [
        "security:", "  tls:", "    ca: \(files.authority)", "    certificate: \(files.certificate)",
        "    key: \(files.key)",
      ]
    }
    if node.roles.contains(.mux) {
      lines += [
        "mux:", "  mtu: \(topology.mtu)", "  path: \(machine.path.rawValue)", "  bgp:",
        "    localAS: \(machine.autonomousSystem)",
        "    holdTime: 9s", "    connectRetry: 1s", "    neighbors:",
        "      - {address: \(machine.link.router), remoteAS: \(topology.router.autonomousSystem)}",
      ]
    }
    if node.roles.contains(.host) { lines += ["host:", "  mtu: \(topology.mtu)"] }
    if node.roles.contains(.manager) {
      lines += ["manager:", "  listen: \(node.address):\(Topology.managerPort)"]
    }
    return lines.map { $0 + "\n" }.joined()
  }
}
