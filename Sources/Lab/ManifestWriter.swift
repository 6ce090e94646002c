import Control
import Wire

/// Writes the manifests that make a topology the manager's desired state; docs/configuration.md is their contract.
public struct ManifestWriter {
  private let lab: String
  private let topology: Topology

  /// Writes for a lab of that name.
  public init(lab: String, topology: Topology) {
    self.lab = lab
    self.topology = topology
  }

  /// Nodes, networks and VMs.
  public var fabric: String {
    let nodes = topology.machines.map { machine in
      let node = machine.node
      let roles = node.roles.map(\.rawValue).joined(separator: ", ")
      let locators = node.locators.map { "  locators: \($0)\n" } ?? ""
      return document(.node, node.name, "  address: \(node.address)\n  roles: [\(roles)]\n\(locators)")
    }
    let networks = topology.networks.map { network in
      let prefixes = network.prefixes.map(\.description).joined(separator: ", ")
      return document(.virtualNetwork, network.name, "  prefixes: [\(prefixes)]\n")
    }
    let guests = topology.guests.map { guest in
      let type = guest.device == .tun ? "" : ", type: \(guest.device.rawValue)"
      let attachment = "  attachment: {netns: \(lab)-\(guest.name), device: eth0\(type)}\n"
      return document(
        .virtualMachine, guest.name,
        "  network: \(guest.network)\n  dip: \(guest.dip)\n  host: \(guest.host)\n\(attachment)")
    }
    return (nodes + networks + guests).joined(separator: "---\n")
  }

  /// Services.
  public var services: String {
    topology.offers.map { service($0.service) }.joined(separator: "---\n")
  }

  private func document(_ kind: Kind, _ name: String, _ body: String) -> String {
    "kind: \(kind.rawValue)\nmetadata: {name: \(name)}\nspec:\n\(body)"
  }

  private func service(_ service: Service) -> String {
    var body = "  vip: \(service.vip)\n  endpoints:\n"
    for endpoint in service.endpoints {
      body += "    - name: \(endpoint.name)\n      protocol: \(endpoint.transport)\n"
      body += "      port: \(endpoint.port)\n      backendPort: \(endpoint.backendPort)\n"
      body += "      affinity: \(endpoint.affinity.rawValue)\n"
      body += "      idleTimeout: \(endpoint.idleTimeoutMilliseconds)ms\n      backends:\n"
      for backend in endpoint.backends {
        body += "        - {vm: \(backend.machine), weight: \(backend.weight)}\n"
      }
      if let probe = endpoint.probe { body += self.probe(probe) }
    }
    if !service.snat.isEmpty {
      body += "  snat: [\(service.snat.joined(separator: ", "))]\n"
      body += "  snatVIPs: [\(service.snatVIPs.map(\.description).joined(separator: ", "))]\n"
      body += "  snatPortsPerMachine: \(service.snatPortsPerMachine)\n"
    }
    return document(.service, service.name, body)
  }

  private func probe(_ probe: Probe) -> String {
    let method =
      switch probe.method {
      case .tcp: "tcp: {}"
      case .http(let path): "http: {path: \(path)}"
      }
    return """
            probe:
              \(method)
              port: \(probe.port)
              interval: \(probe.intervalMilliseconds)ms
              timeout: \(probe.timeoutMilliseconds)ms
              threshold: \(probe.threshold)

      """
  }
}
