import Control
import Wire

/// A small data centre to change for the worse: two hosts, two MUXes, tenants blue and green.
enum Sample {
  static let nodes = [
    Node(name: "host1", address: ip("10.1.11.2"), roles: [.host], locators: prefix("10.64.1.0/24")),
    Node(name: "host2", address: ip("10.1.12.2"), roles: [.host], locators: prefix("10.64.2.0/24")),
    Node(name: "mux1", address: ip("10.1.1.2"), roles: [.manager, .mux]),
    Node(name: "mux2", address: ip("10.1.2.2"), roles: [.mux]),
  ]
  static let networks = [
    VirtualNetwork(name: "blue", prefixes: [prefix("10.0.0.0/24")]),
    VirtualNetwork(name: "green", prefixes: [prefix("10.0.0.0/24"), prefix("10.9.0.0/16")]),
  ]
  static let machines = [
    machine("blue-1", network: "blue", dip: "10.0.0.11", host: "host1"),
    machine("blue-2", network: "blue", dip: "10.0.0.12", host: "host2"),
    machine("green-1", network: "green", dip: "10.0.0.11", host: "host1"),
    machine("spare", network: "blue", dip: "10.0.0.99", host: "host2"),
  ]
  static let services = [
    Service(
      name: "blue", vip: ip("203.0.113.10"),
      endpoints: [
        Endpoint(
          name: "http", transport: .tcp, port: 80, backendPort: 8080,
          backends: [Backend(machine: "blue-1"), Backend(machine: "blue-2", weight: 3)],
          probe: Probe(method: .http(path: "/healthz"), port: 8080), idleTimeoutMilliseconds: 240_000),
        Endpoint(
          name: "dns", transport: .udp, port: 53, backendPort: 53, backends: [Backend(machine: "blue-1")],
          idleTimeoutMilliseconds: 60_000),
      ]),
    Service(
      name: "green", vip: ip("203.0.113.20"),
      endpoints: [
        Endpoint(
          name: "http", transport: .tcp, port: 80, backendPort: 80, backends: [Backend(machine: "green-1")],
          idleTimeoutMilliseconds: 240_000)
      ], snat: ["green-1"]),
  ]

  static var resources: [Resource] {
    nodes.map(Resource.node) + networks.map(Resource.virtualNetwork) + machines.map(Resource.virtualMachine)
      + services.map(Resource.service)
  }

  static var state: DesiredState {
    var state = DesiredState()
    state.carryOut(.apply(resources))
    return state
  }

  static func machine(_ name: String, network: String, dip: String, host: String) -> VirtualMachine {
    VirtualMachine(
      name: name, network: network, dip: ip(dip), host: host,
      attachment: .networkNamespace(name: "ananta-\(name)", device: "eth0"))
  }
}

/// Reads an address that is known to be one.
func ip(_ text: String) -> IPv4Address { IPv4Address(text) ?? .any }

/// Reads a prefix that is known to be one.
func prefix(_ text: String) -> IPv4Prefix { IPv4Prefix(text) ?? IPv4Prefix(.any, length: 0) }

/// The sample's node of that name, or the first under a new name, with something changed.
func node(_ name: String, _ change: (inout Node) -> Void = { _ in }) -> Resource {
  var node = Sample.nodes.first { $0.name == name } ?? Sample.nodes[0]
  if node.name != name {
    node = Node(name: name, address: ip("10.1.99.2"), roles: [.host], locators: prefix("10.64.99.0/24"))
  }
  change(&node)
  return .node(node)
}

/// The sample's network of that name, or a new one, with something changed.
func network(_ name: String, _ change: (inout VirtualNetwork) -> Void = { _ in }) -> Resource {
  var network =
    Sample.networks.first { $0.name == name } ?? VirtualNetwork(name: name, prefixes: [prefix("10.0.0.0/24")])
  change(&network)
  return .virtualNetwork(network)
}

/// The sample's VM of that name, or a new one, with something changed.
func machine(_ name: String, _ change: (inout VirtualMachine) -> Void = { _ in }) -> Resource {
  var machine =
    Sample.machines.first { $0.name == name }
    ?? Sample.machine(name, network: "blue", dip: "10.0.0.77", host: "host1")
  change(&machine)
  return .virtualMachine(machine)
}

/// The sample's service of that name, or a new one, with something changed.
func service(_ name: String, _ change: (inout Service) -> Void = { _ in }) -> Resource {
  var service = Sample.services.first { $0.name == name } ?? Sample.services[0]
  if service.name != name {
    service.name = name
    service.vip = ip("203.0.113.77")
  }
  change(&service)
  return .service(service)
}
