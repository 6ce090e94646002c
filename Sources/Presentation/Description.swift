public import Control
import Manifest
import Wire

/// What `describe` shows: one thing and everything known about it.
public struct Description: Sendable {
  private let state: ClusterState
  private let traffic: Traffic
  private let ports: PortDescription

  /// Prepares to describe things of a state.
  public init(of state: ClusterState) {
    self.state = state
    traffic = Traffic(state.nodes)
    ports = PortDescription(state)
  }

  /// The text about one thing; nil when there is none of that name.
  ///
  /// An endpoint and its backends are described with their service.
  public func text(_ subject: Subject, _ name: String) -> String? {
    switch subject {
    case .nodes: node(name) { _ in true }
    case .muxes: node(name) { $0.roles.contains(.mux) }
    case .hosts: node(name) { $0.roles.contains(.host) }
    case .networks: state.networks.first { $0.name == name }.map(describe)
    case .vms: state.machines.first { $0.machine.name == name }.map(describe)
    case .services, .endpoints, .backends: service(name).map(describe)
    case .snat: ports.vip(name)
    case .managers, .all: nil
    }
  }

  private func service(_ name: String) -> ServiceStatus? {
    let name = name.split(separator: "/").first.map(String.init)
    return state.services.first { $0.service.name == name }
  }

  private func node(_ name: String, where isRight: (Node) -> Bool) -> String? {
    state.nodes.first { $0.node.name == name && isRight($0.node) }.map(describe)
  }

  private func describe(_ status: NodeStatus) -> String {
    let node = status.node
    var text = DescriptionText()
    text.fact("Name", node.name)
    text.fact("Kind", Kind.node.rawValue)
    text.fact("Roles", node.roles.map(\.rawValue).joined(separator: ", "))
    text.fact("Address", "\(node.address)")
    text.fact("Locators", node.locators?.description)
    text.fact("Status", Phrase.connection(status))
    text.fact("Revision", Phrase.revision(status, of: state))
    guard let statistics = status.statistics else { return text.text }
    for problem in statistics.problems { text.fact("Problem", problem) }
    text.table("Forwarding", paths(statistics))
    if node.roles.contains(.mux) { text.table("BGP sessions", sessions(statistics)) }
    if node.roles.contains(.mux) { text.table("Backends", backends(of: status)) }
    if node.roles.contains(.host) { text.table("VMs", machines(of: status)) }
    text.table("Drops", drops(statistics))
    return text.text
  }

  private func sessions(_ statistics: NodeStatistics) -> TextTable {
    var table = TextTable(["PEER", "STATE", "SINCE", "ANNOUNCED"])
    for session in statistics.bgp {
      table.add(["\(session.peer)", session.state, "\(session.secondsInState)s", "\(session.announced)"])
    }
    return table
  }

  private func paths(_ statistics: NodeStatistics) -> TextTable {
    var table = TextTable(["ROLE", "DEVICE", "PATH", "WHY NOT A FASTER ONE"])
    for path in statistics.paths { table.add([path.role.rawValue, path.device, path.path, path.reason]) }
    return table
  }

  private func drops(_ statistics: NodeStatistics) -> TextTable {
    var table = TextTable(["ROLE", "REASON", "PACKETS"])
    for row in Drops(statistics).rows { table.add([row.role, row.reason, "\(row.packets)"]) }
    return table
  }

  /// What this MUX alone has sent to each backend.
  private func backends(of mux: NodeStatus) -> TextTable {
    let own = Traffic([mux])
    var table = TextTable(["SERVICE", "ENDPOINT", "VM", "PACKETS", "BYTES", "CONNECTIONS"])
    for service in state.services {
      for (endpoint, backends) in zip(service.service.endpoints, service.backends) {
        let key = EndpointKey(vip: service.service.vip, transport: endpoint.transport, port: endpoint.port)
        for backend in backends {
          guard let counted = own.backend(key, backend.locator) else { continue }
          table.add([
            service.service.name, endpoint.name, backend.backend.machine, "\(counted.packets)",
            "\(counted.bytes)", "\(counted.connections)",
          ])
        }
      }
    }
    return table
  }

  private func machines(of host: NodeStatus) -> TextTable {
    let own = Traffic([host])
    var table = TextTable(["NAME", "NETWORK", "DIP", "LOCATOR", "FLOWS", "PACKETS"])
    for status in state.machines where status.machine.host == host.node.name {
      let counted = own.machine(status.machine.name)
      table.add([
        status.machine.name, status.machine.network, "\(status.machine.dip)", "\(status.locator)",
        counted.map { "\($0.flows)" } ?? "", counted.map { Phrase.directions($0.packets) } ?? "",
      ])
    }
    return table
  }

  private func describe(_ network: VirtualNetwork) -> String {
    var text = DescriptionText()
    text.fact("Name", network.name)
    text.fact("Kind", Kind.virtualNetwork.rawValue)
    text.fact("Prefixes", network.prefixes.map(\.description).joined(separator: ", "))
    var table = TextTable(["NAME", "DIP", "HOST", "LOCATOR"])
    for status in state.machines where status.machine.network == network.name {
      table.add([status.machine.name, "\(status.machine.dip)", status.machine.host, "\(status.locator)"])
    }
    text.table("VMs", table)
    return text.text
  }

  private func describe(_ status: MachineStatus) -> String {
    let machine = status.machine
    let (netns, device, kind) = Phrase.attachment(machine.attachment)
    var text = DescriptionText()
    text.fact("Name", machine.name)
    text.fact("Kind", Kind.virtualMachine.rawValue)
    text.fact("Network", machine.network)
    text.fact("DIP", "\(machine.dip)")
    text.fact("Host", machine.host)
    text.fact("Locator", "\(status.locator)")
    text.fact("Attachment", "\(kind) device \(device) in network namespace \(netns)")
    let outbound = state.services.filter { $0.service.snat.contains(machine.name) }
    text.fact("SNAT", outbound.map { "\($0.service.vip) (\($0.service.name))" }.joined(separator: ", "))
    ports.add(machine: status, to: &text)
    if let counted = traffic.machine(machine.name) {
      text.fact("Flows", "\(counted.flows)")
      text.fact("Packets", Phrase.directions(counted.packets))
      text.fact("Bytes", Phrase.directions(counted.bytes))
    }
    var table = TextTable(["SERVICE", "ENDPOINT", "ADDRESS", "WEIGHT", "HEALTH", "REASON"])
    for service in state.services {
      for (endpoint, backends) in zip(service.service.endpoints, service.backends) {
        for backend in backends where backend.backend.machine == machine.name {
          table.add([
            service.service.name, endpoint.name,
            "\(service.service.vip):\(endpoint.port)/\(endpoint.transport)", "\(backend.backend.weight)",
            backend.health.rawValue, backend.reason,
          ])
        }
      }
    }
    text.table("Serves", table)
    return text.text
  }

  private func describe(_ status: ServiceStatus) -> String {
    let service = status.service
    var text = DescriptionText()
    text.fact("Name", service.name)
    text.fact("Kind", Kind.service.rawValue)
    text.fact("VIP", "\(service.vip) (\(status.isAnnounced ? "announced" : "not announced"))")
    ports.add(service: service, to: &text)
    text.fact("FastPath", service.fastPath ? "on" : "off")
    for (endpoint, backends) in zip(service.endpoints, status.backends) {
      text.heading("Endpoint \(endpoint.name)")
      text.fact("Address", "\(service.vip):\(endpoint.port)/\(endpoint.transport)", indentation: 2)
      text.fact("Backend port", "\(endpoint.backendPort)", indentation: 2)
      text.fact("Affinity", endpoint.affinity.rawValue, indentation: 2)
      let idle = DurationText.text(milliseconds: endpoint.idleTimeoutMilliseconds)
      text.fact("Idle timeout", idle, indentation: 2)
      text.fact("Probe", endpoint.probe.map(describe) ?? "none, backends count as healthy", indentation: 2)
      let key = EndpointKey(vip: service.vip, transport: endpoint.transport, port: endpoint.port)
      text.table("Backends", table(backends, key), indentation: 2)
    }
    text.table("Leased ports", ports.table(of: service))
    return text.text
  }

  private func describe(_ probe: Probe) -> String {
    let timeout = DurationText.text(milliseconds: probe.timeoutMilliseconds)
    return "\(Phrase.probe(probe)), timeout \(timeout), threshold \(probe.threshold)"
  }

  private func table(_ backends: [BackendStatus], _ key: EndpointKey) -> TextTable {
    var table = TextTable(["VM", "LOCATOR", "WEIGHT", "HEALTH", "PACKETS", "BYTES", "CONNECTIONS", "REASON"])
    for backend in backends {
      let counted = traffic.backend(key, backend.locator)
      table.add([
        backend.backend.machine, "\(backend.locator)", "\(backend.backend.weight)", backend.health.rawValue,
        counted.map { "\($0.packets)" } ?? "", counted.map { "\($0.bytes)" } ?? "",
        counted.map { "\($0.connections)" } ?? "", backend.reason,
      ])
    }
    return table
  }
}
