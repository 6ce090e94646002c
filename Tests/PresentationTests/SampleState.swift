import Control
import Wire

/// A small data centre with something of everything: a node that is away, one that is behind, a backend that is ill.
enum SampleState {
  static let web = EndpointKey(vip: IPv4Address(203, 0, 113, 10), transport: .tcp, port: 80)

  static let state = ClusterState(
    revision: Revision(14), epoch: Epoch(1), nodes: nodes,
    networks: [VirtualNetwork(name: "blue", prefixes: [IPv4Prefix(IPv4Address(10, 0, 0, 0), length: 24)])],
    machines: [
      machine("blue-1", 11, host: "host1", locator: 1), machine("blue-2", 12, host: "host2", locator: 2),
    ],
    services: [blue], ports: ports)

  /// The first VIP's ports are in use; one range of the second was recalled, and two have lost their host.
  private static let ports = [
    PortPoolStatus(
      vip: web.vip, service: "blue", capacity: 8064, free: 8062, orphaned: 0,
      holdings: [.init(machine: "blue-1", locator: IPv4Address(10, 64, 1, 1), ranges: 2, recalled: 0)]),
    PortPoolStatus(
      vip: IPv4Address(203, 0, 113, 11), service: "blue", capacity: 8064, free: 8061, orphaned: 2,
      holdings: [.init(machine: "blue-1", locator: IPv4Address(10, 64, 1, 1), ranges: 1, recalled: 1)]),
  ]

  static let blue = ServiceStatus(
    service: Service(
      name: "blue", vip: web.vip,
      endpoints: [
        Endpoint(
          name: "http", transport: .tcp, port: 80, backendPort: 8080,
          backends: [Backend(machine: "blue-1"), Backend(machine: "blue-2", weight: 3)],
          probe: Probe(method: .http(path: "/healthz"), port: 8080), idleTimeoutMilliseconds: 240_000),
        Endpoint(
          name: "udp-53", transport: .udp, port: 53, backendPort: 53, backends: [Backend(machine: "blue-1")],
          affinity: .sourceAndDestination, idleTimeoutMilliseconds: 60_000),
      ], snat: ["blue-1", "blue-2"], snatVIPs: [IPv4Address(203, 0, 113, 11)], snatPortsPerMachine: 16_000),
    backends: [
      [
        backend("blue-1", 1, locator: IPv4Address(10, 64, 1, 1), .healthy),
        backend("blue-2", 3, locator: IPv4Address(10, 64, 2, 2), .unhealthy, "status 503"),
      ],
      [backend("blue-1", 1, locator: IPv4Address(10, 64, 1, 1), .unprobed)],
    ], isAnnounced: true)

  private static func backend(
    _ name: String, _ weight: Int, locator: IPv4Address, _ health: Health, _ reason: String = ""
  ) -> BackendStatus {
    BackendStatus(
      backend: Backend(machine: name, weight: weight), locator: locator, health: health, reason: reason)
  }

  private static func machine(_ name: String, _ dip: UInt8, host: String, locator: UInt8) -> MachineStatus {
    MachineStatus(
      machine: VirtualMachine(
        name: name, network: "blue", dip: IPv4Address(10, 0, 0, dip), host: host,
        attachment: .networkNamespace(name: "lab-\(name)", device: "eth0")),
      locator: IPv4Address(10, 64, locator, locator))
  }

  private static let nodes = [
    NodeStatus(
      node: Node(
        name: "host1", address: IPv4Address(10, 1, 11, 2), roles: [.host],
        locators: IPv4Prefix(IPv4Address(10, 64, 1, 0), length: 24)),
      isConnected: true, revision: Revision(14),
      statistics: NodeStatistics(
        bgp: [],
        counters: [
          Counter(
            name: "ananta_host_packets_total", labels: ["vm": "blue-1", "direction": "in"], value: 1200),
          Counter(
            name: "ananta_host_packets_total", labels: ["vm": "blue-1", "direction": "out"], value: 1100),
          Counter(
            name: "ananta_host_bytes_total", labels: ["vm": "blue-1", "direction": "in"], value: 96000),
          Counter(name: "ananta_host_flows", labels: ["vm": "blue-1"], value: 3),
          Counter(name: "ananta_drops_total", labels: ["role": "host", "reason": "unknownMux"], value: 2),
          Counter(name: "ananta_drops_total", labels: ["role": "host", "reason": "malformed"], value: 0),
        ], problems: ["net.ipv4.ip_forward is 0 and cannot be set"],
        ports: [
          PortStatus(
            locator: IPv4Address(10, 64, 1, 1), ranges: 3, portsInUse: 17, flows: 60, held: 2, requests: 4,
            refused: 1, dropped: 9, waitMicrosecondsP50: 2_048, waitMicrosecondsP99: 16_384)
        ])),
    NodeStatus(
      node: Node(
        name: "host2", address: IPv4Address(10, 1, 12, 2), roles: [.host],
        locators: IPv4Prefix(IPv4Address(10, 64, 2, 0), length: 24)),
      isConnected: false, revision: Revision(12), statistics: nil),
    NodeStatus(
      node: Node(name: "manager1", address: IPv4Address(10, 1, 9, 2), roles: [.manager]), isConnected: true,
      revision: Revision(0), statistics: nil),
    mux("mux1", 1, established: true, packets: 700), mux("mux2", 2, established: false, packets: 500),
  ]

  private static func mux(_ name: String, _ number: UInt8, established: Bool, packets: UInt64) -> NodeStatus {
    let labels = ["vip": "203.0.113.10", "transport": "tcp", "port": "80", "locator": "10.64.1.1"]
    return NodeStatus(
      node: Node(name: name, address: IPv4Address(10, 1, number, 2), roles: [.mux]), isConnected: true,
      revision: Revision(14),
      statistics: NodeStatistics(
        bgp: [
          BGPSessionStatus(
            peer: IPv4Address(10, 1, number, 1), state: established ? "established" : "connect",
            secondsInState: 61, announced: established ? 1 : 0)
        ],
        counters: [
          Counter(name: "ananta_mux_packets_total", labels: labels, value: packets),
          Counter(name: "ananta_mux_bytes_total", labels: labels, value: packets * 100),
          Counter(name: "ananta_mux_connections_total", labels: labels, value: packets / 10),
        ], problems: [],
        paths: [
          established
            ? ForwardingPath(role: .mux, device: "eth0", path: "tc")
            : ForwardingPath(role: .mux, device: "eth0", path: "user space", reason: "no bpffs")
        ]))
  }
}
