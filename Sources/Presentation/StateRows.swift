import Control
import Manifest
import Wire

/// The rows of one part of a state.
struct StateRows {
  private let subject: Subject
  private let state: ClusterState
  private let traffic: Traffic

  init(_ subject: Subject, of state: ClusterState) {
    self.subject = subject
    self.state = state
    traffic = Traffic(state.nodes)
  }

  var columns: ListingColumns {
    switch subject {
    case .nodes:
      ListingColumns(
        narrow: ["NAME", "ROLES", "ADDRESS", "STATUS", "REVISION"], wide: ["LOCATORS", "PROBLEMS"])
    case .muxes:
      ListingColumns(
        narrow: ["NAME", "ADDRESS", "STATUS", "REVISION", "BGP", "VIPS", "PACKETS"],
        wide: ["PATH", "PEERS", "PROBLEMS"])
    case .hosts:
      ListingColumns(
        narrow: ["NAME", "ADDRESS", "STATUS", "REVISION", "LOCATORS", "VMS"],
        wide: ["PATH", "FLOWS", "PROBLEMS"])
    case .networks: ListingColumns(narrow: ["NAME", "PREFIXES", "VMS"])
    case .vms:
      ListingColumns(
        narrow: ["NAME", "NETWORK", "DIP", "HOST", "LOCATOR"], wide: ["NETNS", "DEVICE", "TYPE", "FLOWS"])
    case .services:
      ListingColumns(narrow: ["NAME", "VIP", "PORTS", "HEALTHY", "ANNOUNCED"], wide: ["SNAT", "FASTPATH"])
    case .endpoints:
      ListingColumns(
        narrow: ["SERVICE", "ENDPOINT", "ADDRESS", "HEALTHY"],
        wide: ["BACKENDPORT", "AFFINITY", "IDLE", "PROBE"])
    case .backends:
      ListingColumns(
        narrow: ["SERVICE", "ENDPOINT", "VM", "WEIGHT", "HEALTH", "PACKETS"],
        wide: ["LOCATOR", "CONNECTIONS", "BYTES", "REASON"])
    case .snat: PortRows.columns
    case .managers, .all: ListingColumns(narrow: [])
    }
  }

  /// All rows, before names narrow them.
  var entries: [ListingEntry] {
    switch subject {
    case .nodes: state.nodes.map { entry($0, cells: nodeCells) }
    case .muxes: state.nodes.filter { $0.node.roles.contains(.mux) }.map { entry($0, cells: muxCells) }
    case .hosts: state.nodes.filter { $0.node.roles.contains(.host) }.map { entry($0, cells: hostCells) }
    case .networks: state.networks.map(entry)
    case .vms: state.machines.map(entry)
    case .services: state.services.map(entry)
    case .endpoints: state.services.flatMap(endpointEntries)
    case .backends: state.services.flatMap(backendEntries)
    case .snat: PortRows(state).entries
    case .managers, .all: []
    }
  }

  private func entry(_ node: NodeStatus, cells: @escaping (NodeStatus) -> [String]) -> ListingEntry {
    entry(.node(node.node), status: StatusValue.of(node)) { cells(node) }
  }

  private func entry(
    _ resource: Resource, status: StructuredValue?, cells: @escaping () -> [String]
  ) -> ListingEntry {
    ListingEntry(
      name: resource.key.name, names: [resource.key.name], cells: cells,
      json: ManifestWriter.value(resource).adding("status", status), yaml: ManifestWriter.text(resource))
  }

  private func nodeCells(_ status: NodeStatus) -> [String] {
    [
      status.node.name, status.node.roles.map(\.rawValue).joined(separator: ","), "\(status.node.address)",
      Phrase.connection(status), Phrase.revision(status, of: state),
      status.node.locators?.description ?? "", Phrase.problems(status),
    ]
  }

  private func muxCells(_ status: NodeStatus) -> [String] {
    let sessions = status.statistics?.bgp ?? []
    let established = sessions.filter { $0.state == "established" }
    let peers = sessions.map { "\($0.peer) \($0.state)" }.joined(separator: ",")
    return [
      status.node.name, "\(status.node.address)", Phrase.connection(status),
      Phrase.revision(status, of: state),
      sessions.isEmpty ? "" : "\(established.count)/\(sessions.count)",
      established.map(\.announced).max().map { "\($0)" } ?? (sessions.isEmpty ? "" : "0"),
      Traffic([status]).muxPackets.map { "\($0)" } ?? "", Phrase.paths(status, of: .mux), peers,
      Phrase.problems(status),
    ]
  }

  private func hostCells(_ status: NodeStatus) -> [String] {
    let machines = state.machines.filter { $0.machine.host == status.node.name }
    let local = Traffic([status])
    let flows = machines.compactMap { local.machine($0.machine.name)?.flows }
    return [
      status.node.name, "\(status.node.address)", Phrase.connection(status),
      Phrase.revision(status, of: state),
      status.node.locators?.description ?? "", "\(machines.count)",
      Phrase.paths(status, of: .host), flows.isEmpty ? "" : "\(flows.reduce(0, &+))", Phrase.problems(status),
    ]
  }

  private func entry(_ network: VirtualNetwork) -> ListingEntry {
    let machines = state.machines.count { $0.machine.network == network.name }
    return entry(.virtualNetwork(network), status: nil) {
      [network.name, network.prefixes.map(\.description).joined(separator: ","), "\(machines)"]
    }
  }

  private func entry(_ status: MachineStatus) -> ListingEntry {
    let machine = status.machine
    return entry(.virtualMachine(machine), status: .fields(("locator", .text("\(status.locator)")))) {
      let (netns, device, kind) = Phrase.attachment(machine.attachment)
      return [
        machine.name, machine.network, "\(machine.dip)", machine.host, "\(status.locator)", netns, device,
        kind,
        traffic.machine(machine.name).map { "\($0.flows)" } ?? "",
      ]
    }
  }

  private func entry(_ status: ServiceStatus) -> ListingEntry {
    let service = status.service
    return entry(.service(service), status: StatusValue.of(status, traffic)) {
      [
        service.name, "\(service.vip)",
        service.endpoints.map { "\($0.port)/\($0.transport)" }.joined(separator: ","),
        Phrase.healthy(status.backends.flatMap(\.self)), status.isAnnounced ? "yes" : "no",
        service.snat.joined(separator: ","), service.fastPath ? "on" : "off",
      ]
    }
  }

  private func endpointEntries(_ status: ServiceStatus) -> [ListingEntry] {
    let service = status.service
    return zip(service.endpoints, status.backends).map { endpoint, backends in
      let value = StatusValue.of(service, endpoint, backends, traffic)
      return ListingEntry(
        name: "\(service.name)/\(endpoint.name)", names: [service.name, "\(service.name)/\(endpoint.name)"],
        cells: {
          [
            service.name, endpoint.name, "\(service.vip):\(endpoint.port)/\(endpoint.transport)",
            Phrase.healthy(backends), "\(endpoint.backendPort)", endpoint.affinity.rawValue,
            DurationText.text(milliseconds: endpoint.idleTimeoutMilliseconds),
            endpoint.probe.map(Phrase.probe) ?? "",
          ]
        }, json: value, yaml: value.yaml)
    }
  }

  private func backendEntries(_ status: ServiceStatus) -> [ListingEntry] {
    let service = status.service
    return zip(service.endpoints, status.backends).flatMap { endpoint, backends in
      backends.map { backend in
        let key = EndpointKey(vip: service.vip, transport: endpoint.transport, port: endpoint.port)
        let counted = traffic.backend(key, backend.locator)
        let value = StructuredValue.fields(
          ("service", .text(service.name)), ("endpoint", .text(endpoint.name))
        ).joined(StatusValue.of(backend, key, traffic))
        return ListingEntry(
          name: "\(service.name)/\(endpoint.name)/\(backend.backend.machine)",
          names: [service.name, "\(service.name)/\(endpoint.name)"],
          cells: {
            [
              service.name, endpoint.name, backend.backend.machine, "\(backend.backend.weight)",
              backend.health.rawValue, counted.map { "\($0.packets)" } ?? "", "\(backend.locator)",
              counted.map { "\($0.connections)" } ?? "", counted.map { "\($0.bytes)" } ?? "", backend.reason,
            ]
          }, json: value, yaml: value.yaml)
      }
    }
  }
}
