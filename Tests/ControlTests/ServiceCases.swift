import Control
import Wire

extension ValidationCase {
  static let services = [
    Self("service's name", service("web!"), path: "metadata.name", says: "lower-case"),
    Self(
      "VIP of another service", service("blue") { $0.vip = ip("203.0.113.20") }, path: "spec.vip",
      says: "VIP of Service/green already"),
    Self(
      "two new services with one VIP: the later is to blame", service("red"), service("redder"),
      path: "spec.vip",
      says: "VIP of Service/red already"),
    Self(
      "VIP is a node", service("blue") { $0.vip = ip("10.1.1.2") }, path: "spec.vip",
      says: "address of Node/mux1"),
    Self(
      "VIP within locators", service("blue") { $0.vip = ip("10.64.2.200") }, path: "spec.vip",
      says: "locators 10.64.2.0/24 of Node/host2"),
    Self("VIP 0/8", service("blue") { $0.vip = ip("0.1.2.3") }, path: "spec.vip", says: "this network"),
    Self("VIP loopback", service("blue") { $0.vip = ip("127.0.0.1") }, path: "spec.vip", says: "loopback"),
    Self("VIP multicast", service("blue") { $0.vip = ip("224.0.0.1") }, path: "spec.vip", says: "multicast"),
    Self(
      "VIP broadcast", service("blue") { $0.vip = ip("255.255.255.255") }, path: "spec.vip", says: "broadcast"
    ),
    Self(
      "nothing to do", service("blue") { $0.endpoints = [] }, path: "spec.endpoints",
      says: "at least one endpoint"),
    Self(
      "129 endpoints", service("blue") { $0.endpoints = ports(1...129) }, path: "spec.endpoints",
      says: "at most 128"),
    Self(
      "two networks", service("blue") { $0.endpoints[0].backends.append(Backend(machine: "green-1")) },
      path: "spec.endpoints", says: "several networks, blue and green"),
    Self(
      "two networks by way of snat", service("blue") { $0.snat = ["green-1"] }, path: "spec.snat[0]",
      says: "leaves by the VIP of Service/green", and: [("spec.endpoints", "several networks")]),
    Self(
      "unknown VM in snat", service("blue") { $0.snat = ["red-1"] }, path: "spec.snat[0]",
      says: "no VirtualMachine/red-1"),
    Self(
      "VM twice in snat", service("blue") { $0.snat = ["blue-1", "blue-1"] }, path: "spec.snat[1]",
      says: "given twice"),
    Self(
      "SNAT VIP of another service", service("blue") { $0.snatVIPs = [ip("203.0.113.20")] },
      path: "spec.snatVIPs[0]", says: "VIP of Service/green already"),
    Self(
      "SNAT VIP is the VIP", service("blue") { $0.snatVIPs = [ip("203.0.113.10")] },
      path: "spec.snatVIPs[0]", says: "used anyway"),
    Self(
      "SNAT VIP twice", service("blue") { $0.snatVIPs = [ip("203.0.113.11"), ip("203.0.113.11")] },
      path: "spec.snatVIPs[1]", says: "given twice"),
    Self(
      "SNAT VIP is a node", service("blue") { $0.snatVIPs = [ip("10.1.1.2")] }, path: "spec.snatVIPs[0]",
      says: "address of Node/mux1"),
    Self(
      "SNAT VIP within locators", service("blue") { $0.snatVIPs = [ip("10.64.2.200")] },
      path: "spec.snatVIPs[0]", says: "locators 10.64.2.0/24 of Node/host2"),
    Self(
      "SNAT VIP multicast", service("blue") { $0.snatVIPs = [ip("224.0.0.1")] }, path: "spec.snatVIPs[0]",
      says: "multicast"),
    Self(
      "17 SNAT VIPs", service("blue") { $0.snatVIPs = (1...17).map { IPv4Address(203, 0, 114, $0) } },
      path: "spec.snatVIPs", says: "at most 16"),
    Self(
      "ports that are no ranges", service("blue") { $0.snatPortsPerMachine = 12 },
      path: "spec.snatPortsPerMachine", says: "multiple of 8"),
    Self(
      "no ports", service("blue") { $0.snatPortsPerMachine = 0 }, path: "spec.snatPortsPerMachine",
      says: "from 8 to 64512"),
    Self(
      "the same service twice",
      .apply([service("blue"), service("green"), service("blue") { $0.vip = ip("203.0.113.30") }]),
      [(ResourceKey(.service, "blue"), "metadata.name", "as document 1 and as document 3")]),
    Self(
      "too many resources", .apply((0...10_000).map { network("n\($0)") }),
      [(ResourceKey(.virtualNetwork, "n0"), "", "at most 10000")]),
  ]

  static let endpoints = [
    endpoint("name", path: "name", says: "lower-case") { $0.name = "HTTP" },
    endpoint("name of another", path: "name", says: "name of spec.endpoints[0] already") { $0.name = "http" },
    endpoint("port 0", path: "port", says: "1 to 65535") { $0.port = 0 },
    endpoint("backend port 0", path: "backendPort", says: "1 to 65535") { $0.backendPort = 0 },
    endpoint("port of another", path: "port", says: "80/tcp is served by spec.endpoints[0]") {
      ($0.transport, $0.port) = (.tcp, 80)
    },
    endpoint("idle time too short", path: "idleTimeout", says: "between 1s and 24h") {
      $0.idleTimeoutMilliseconds = 999
    },
    endpoint("idle time too long", path: "idleTimeout", says: "between 1s and 24h") {
      $0.idleTimeoutMilliseconds = 86_400_001
    },
    endpoint("unknown backend", path: "backends[1].vm", says: "no VirtualMachine/red-1") {
      $0.backends.append(Backend(machine: "red-1"))
    },
    endpoint("backend twice", path: "backends[1].vm", says: "backend of this endpoint already") {
      $0.backends.append(Backend(machine: "blue-1", weight: 2))
    },
    endpoint("negative weight", path: "backends[0].weight", says: "between 0 and 100") {
      $0.backends[0].weight = -1
    },
    endpoint("weight 101", path: "backends[0].weight", says: "between 0 and 100") {
      $0.backends[0].weight = 101
    },
    endpoint("1025 backends", path: "backends", says: "at most 1024") {
      $0.backends = (0...1024).map { Backend(machine: "b\($0)") }
    },
    probe("port", says: "1 to 65535") { $0.port = 0 },
    probe("interval", says: "100ms and 5m") { ($0.intervalMilliseconds, $0.timeoutMilliseconds) = (99, 50) },
    probe("interval", says: "100ms and 5m") { $0.intervalMilliseconds = 300_001 },
    probe("timeout", says: "the interval, 2000ms") { $0.timeoutMilliseconds = 2001 },
    probe("timeout", says: "between 1ms") { $0.timeoutMilliseconds = 0 },
    probe("threshold", says: "between 1 and 10") { $0.threshold = 0 },
    probe("threshold", says: "between 1 and 10") { $0.threshold = 11 },
    probe("http.path", says: "begin with /") { $0.method = .http(path: "healthz") },
    probe("http.path", says: "begin with /") { $0.method = .http(path: "") },
    probe("http.path", says: "printable") { $0.method = .http(path: "/a\r\nHost: x") },
    probe("http.path", says: "printable") { $0.method = .http(path: "/a b") },
    probe("http.path", says: "at most 1024") {
      $0.method = .http(path: "/" + String(repeating: "x", count: 1024))
    },
    Self(
      "all at once",
      .apply([
        service("blue") {
          $0.vip = ip("127.0.0.1")
          $0.endpoints[0].port = 0
          $0.endpoints[1].backends[0].weight = 1000
        }, node("host9") { $0.roles = [] },
      ]),
      [
        (ResourceKey(.service, "blue"), "spec.vip", "loopback"),
        (ResourceKey(.service, "blue"), "spec.endpoints[0].port", "1 to 65535"),
        (ResourceKey(.service, "blue"), "spec.endpoints[1].backends[0].weight", "between 0 and 100"),
        (ResourceKey(.node, "host9"), "spec.roles", "at least one"),
        (ResourceKey(.node, "host9"), "spec.locators", "only a host"),
      ]),
  ]

  /// Endpoints with these ports.
  static func ports(_ ports: ClosedRange<UInt16>) -> [Endpoint] {
    ports.map { port in
      Endpoint(
        name: "p\(port)", transport: .tcp, port: port, backendPort: 80, backends: [],
        idleTimeoutMilliseconds: 240_000)
    }
  }

  private static func endpoint(
    _ title: String, path: String, says words: String, _ change: (inout Endpoint) -> Void
  ) -> Self {
    Self(
      "endpoint: \(title)", service("blue") { change(&$0.endpoints[1]) }, path: "spec.endpoints[1].\(path)",
      says: words)
  }

  private static func probe(_ path: String, says words: String, _ change: (inout Probe) -> Void) -> Self {
    var probe = Probe(method: .tcp, port: 8080)
    change(&probe)
    return endpoint("probe's \(path)", path: "probe.\(path)", says: words) { $0.probe = probe }
  }
}
