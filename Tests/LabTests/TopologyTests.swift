import Control
import Testing
import Wire

@testable import Lab

@Suite("Topology")
struct TopologyTests {
  /// A topology that is right; each bad one changes one line of it.
  static let good = """
    security: plaintext
    router: {name: router, vips: [203.0.113.0/24]}
    clients:
      - {name: client, address: 198.51.100.10/24}
    nodes:
      - {name: mux1, address: 10.1.1.2/24, roles: [mux, manager]}
      - {name: host1, address: 10.1.11.2/24, roles: [host], locators: 10.64.1.0/24}
    networks:
      - name: blue
        prefixes: [10.0.0.0/24]
        vms:
          - {name: blue-1, dip: 10.0.0.11, host: host1}
    services:
      - name: web
        network: blue
        vip: 203.0.113.10
        endpoints:
          - {protocol: tcp, port: 80, backendPort: 8080, probe: {tcp: {}, interval: 2s}, server: http}
    """

  @Test func readsAllThatIsSaid() throws {
    let topology = try TopologyReader.read(text: Self.good, file: "good.yaml")
    #expect(topology.mtu == 1500)
    #expect(topology.offload)
    #expect(topology.members == ["router", "client", "mux1", "host1", "blue-1"])
    #expect(topology.machines[0].node.roles == [.manager, .mux])
    #expect(topology.machines[1].node.locators == IPv4Prefix("10.64.1.0/24"))
    #expect(topology.machines[1].link.router == IPv4Address(10, 1, 11, 1))
    let endpoint = topology.offers[0].service.endpoints[0]
    #expect(endpoint.name == "tcp-80")
    #expect(endpoint.backendPort == 8080)
    #expect(endpoint.backends == [Backend(machine: "blue-1")])
    #expect(endpoint.probe == Probe(method: .tcp, port: 8080))
    #expect(topology.offers[0].servers == [.http])
  }

  @Test func readsTheDefaultTopology() throws {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let topology = try TopologyReader.read(path: "/\(root)/deploy/lab/small.yaml")
    #expect(topology.members.count == 17)
    #expect(Set(topology.guests.map(\.dip)).count == 3)
    #expect(try Scene(topology).victim == "mux2")
    #expect(topology.machines(with: .manager).count == 5)
    #expect(topology.security == .tls)
  }

  @Test func readsTheTopologyOfTheBenchmark() throws {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let topology = try TopologyReader.read(path: "/\(root)/deploy/lab/bulk.yaml")
    #expect(topology.guests.map(\.device) == [.tun, .veth])
    #expect(topology.offers.map(\.servers) == [[.iperf3], [.iperf3]])
    #expect(topology.offers.map { $0.service.endpoints[0].backends.map(\.machine) } == [["tun"], ["veth"]])
  }

  static let faults: [(was: String, becomes: String, says: String)] = [
    ("clients:", "klients:", "bad.yaml:3: klients: unknown key"),
    ("roles: [mux, manager]", "roles: [mux, king]", "bad.yaml:6: nodes[0].roles[1]: king is unknown"),
    ("10.1.1.2/24", "10.1.1.1/24", "bad.yaml:6: nodes[0].address: 10.1.1.1 is taken"),
    ("10.1.1.2/24", "10.1.11.3/24", "bad.yaml:7: nodes[1].address: 10.1.11.0/24 overlaps"),
    ("10.1.1.2/24", "ten", "bad.yaml:6: nodes[0].address: ten is not an address on a link"),
    ("locators: 10.64.1.0/24", "as: 65001", "bad.yaml:7: nodes[1]: locators must be there exactly when"),
    (
      "locators: 10.64.1.0/24", "locators: 10.64.1.7/24", "bad.yaml:7: nodes[1].locators: 10.64.1.7/24 is not"
    ),
    ("name: mux1", "name: client", "bad.yaml:6: nodes[0].name: client is taken by another member"),
    ("name: mux1", "name: a-very-long-name", "bad.yaml:6: nodes[0].name: a-very-long-name is not a name"),
    ("name: mux1", "name: Mux", "bad.yaml:6: nodes[0].name: Mux is not a name"),
    ("dip: 10.0.0.11", "dip: 10.9.0.11", "bad.yaml:12: networks[0].vms[0].dip: 10.9.0.11 is outside"),
    (
      "host: host1", "host: mux1",
      "bad.yaml:12: networks[0].vms[0].host: there is no node mux1 with the role host"
    ),
    ("network: blue", "network: red", "bad.yaml:15: services[0].network: there is no network red"),
    ("vip: 203.0.113.10", "vip: 192.0.2.1", "bad.yaml:16: services[0].vip: 192.0.2.1 is outside router.vips"),
    ("port: 80,", "port: 0,", "bad.yaml:18: services[0].endpoints[0].port: a whole number from 1 to 65535"),
    (
      "interval: 2s", "interval: 2",
      "bad.yaml:18: services[0].endpoints[0].probe.interval: 2 is not a duration"
    ),
    ("interval: 2s", "interval: 1ms", "bad.yaml:18: services[0].endpoints[0].probe.interval: 1ms is outside"),
    (
      "probe: {tcp: {},", "probe: {",
      "bad.yaml:18: services[0].endpoints[0].probe: exactly one of http and tcp"
    ),
    ("server: http", "server: gopher", "bad.yaml:18: services[0].endpoints[0].server: gopher is unknown"),
    ("roles: [mux, manager]", "roles: [mux]", "bad.yaml:6: nodes: 0 nodes are managers; 1, 3 or 5 must be"),
    ("roles: [host]", "roles: [host, manager]", "bad.yaml:6: nodes: 2 nodes are managers; 1, 3 or 5 must be"),
    (
      "security: plaintext", "security: none",
      "bad.yaml:1: security: none is unknown; known here are tls, plaintext"
    ),
    (
      "vip: 203.0.113.10", "vip: 203.0.113.10\n    snat: [green-1]",
      "bad.yaml:17: services[0].snat[0]: green-1 is not a VM of the service's network"
    ),
    (
      "vip: 203.0.113.10", "vip: 203.0.113.10\n    snatVIPs: [192.0.2.1]",
      "bad.yaml:17: services[0].snatVIPs[0]: 192.0.2.1 is outside router.vips"
    ),
    (
      "vip: 203.0.113.10", "vip: 203.0.113.10\n    snatPortsPerMachine: 12",
      "bad.yaml:17: services[0].snatPortsPerMachine: a multiple of 8 is expected"
    ),
    (
      "nodes:", "internet: [{name: client, address: 192.0.2.2/28}]\nnodes:",
      "bad.yaml:5: internet[0].name: client is taken"
    ),
    ("nodes:", "nodes: [", "bad.yaml:"),
    ("name: web", "name: web\n    name: web", "bad.yaml:14: name: the key is there twice"),
  ]

  @Test("refuses a fault and names its line", arguments: faults)
  func refuses(fault: (was: String, becomes: String, says: String)) {
    let text = Self.good.replacing(fault.was, with: fault.becomes, maxReplacements: 1)
    #expect(text != Self.good)
    do throws(LabError) {
      _ = try TopologyReader.read(text: text, file: "bad.yaml")
      Issue.record("accepted: \(fault.becomes)")
    } catch {
      #expect(error.code == .topology)
      #expect(error.reason.hasPrefix(fault.says), "\(error.reason)")
    }
  }

  @Test func refusesAnEmptyFile() {
    #expect(throws: LabError(.topology, "bad.yaml:1: the file is empty")) {
      try TopologyReader.read(text: "", file: "bad.yaml")
    }
  }
}
