import Control
public import Wire

/// How a lab is, for operators and for scripts.
public struct LabStatus: Codable, Hashable, Sendable {
  /// A client, a server of the internet, the router, or a machine with an agent.
  public struct NodeEntry: Codable, Hashable, Sendable {
    /// Its name.
    public var name: String
    /// `client`, `internet`, `router`, `mux`, `host` or `manager`: its first duty.
    public var kind: String
    /// Its network namespace.
    public var namespace: String
    /// Its addresses.
    public var addresses: [IPv4Address]
    /// The roles of its agent.
    public var roles: [String]
    /// The process of its agent; nil if it never had one.
    public var pid: Int32?
    /// Whether that process, or every daemon of the router, is alive; nil for clients and the internet.
    public var isRunning: Bool?
    /// Where a host's VMs get their locators.
    public var locators: IPv4Prefix?
  }
  /// A VM.
  public struct GuestEntry: Codable, Hashable, Sendable {
    /// Its name.
    public var name: String
    /// `vm`.
    public var kind: String
    /// Its network namespace.
    public var namespace: String
    /// Its addresses: the DIP.
    public var addresses: [IPv4Address]
    /// Its virtual network.
    public var network: String
    /// Its address there.
    public var dip: IPv4Address
    /// The node that hosts it.
    public var host: String
  }
  /// The lab's name.
  public var name: String
  /// The file its topology was read from.
  public var topology: String
  /// Whether `up` came to its end.
  public var isComplete: Bool
  /// Nodes in the order of the topology: router, clients, internet, machines.
  public var nodes: [NodeEntry]
  /// VMs in the order of the topology.
  public var vms: [GuestEntry]
}

extension Lab {
  /// How the lab is now.
  public var status: LabStatus {
    let router = topology.router.name
    let daemons = record.processes.filter { $0.duty == .router }
    var nodes = [
      LabStatus.NodeEntry(
        name: router, kind: "router", namespace: fabric.namespace(router),
        addresses: fabric.links.map(\.link.router), roles: [],
        isRunning: !daemons.isEmpty && daemons.allSatisfy(\.isRunning))
    ]
    nodes += topology.clients.map { client in
      LabStatus.NodeEntry(
        name: client.name, kind: "client", namespace: fabric.namespace(client.name),
        addresses: [client.link.address], roles: [])
    }
    nodes += topology.internet.map { site in
      LabStatus.NodeEntry(
        name: site.name, kind: "internet", namespace: fabric.namespace(site.name),
        addresses: [site.link.address], roles: [])
    }
    nodes += topology.machines.map { machine in
      let node = machine.node
      let kind = node.roles.contains(.mux) ? "mux" : node.roles.contains(.host) ? "host" : "manager"
      let agent = agent(of: node.name)
      return LabStatus.NodeEntry(
        name: node.name, kind: kind, namespace: fabric.namespace(node.name), addresses: [node.address],
        roles: node.roles.map(\.rawValue), pid: agent?.pid, isRunning: agent?.isRunning ?? false,
        locators: node.locators)
    }
    let guests = topology.guests.map { guest in
      LabStatus.GuestEntry(
        name: guest.name, kind: "vm", namespace: fabric.namespace(guest.name), addresses: [guest.dip],
        network: guest.network, dip: guest.dip, host: guest.host)
    }
    return LabStatus(
      name: name, topology: record.topologyFile, isComplete: record.isComplete, nodes: nodes, vms: guests)
  }
}

extension LabStatus {
  /// The status as aligned columns.
  public var table: String {
    var nodeTable = TextTable(["NAME", "KIND", "NAMESPACE", "ADDRESS", "ROLES", "PID", "STATE"])
    for node in nodes {
      let addresses = node.addresses.map(\.description)
      let more = addresses.count > 1 ? " +\(addresses.count - 1)" : ""
      nodeTable.add([
        node.name, node.kind, node.namespace, (addresses.first ?? "-") + more,
        node.roles.isEmpty ? "-" : node.roles.joined(separator: ","), node.pid.map(String.init) ?? "-",
        node.isRunning.map { $0 ? "running" : "stopped" } ?? "-",
      ])
    }
    var guestTable = TextTable(["NAME", "KIND", "NAMESPACE", "NETWORK", "DIP", "HOST"])
    for guest in vms {
      guestTable.add([
        guest.name, guest.kind, guest.namespace, guest.network, guest.dip.description, guest.host,
      ])
    }
    let warning = isComplete ? "" : "\nThis lab is incomplete: `up` has not ended, or was killed.\n"
    return nodeTable.text + "\n" + guestTable.text + warning
  }
}
