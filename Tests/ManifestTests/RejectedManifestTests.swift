import Manifest
import Testing

/// Every way to write a manifest wrongly that we could think of, and the line its author reads.
@Suite struct RejectedManifestTests {
  private static let name = "a name of lower-case letters, digits and -, at most 63"
  private static let address = "an IPv4 address such as 10.0.0.1"
  private static let port = "must be a whole number from 1 to 65535"

  @Test(arguments: documents + metadata) func wrongDocuments(_ row: Rejected) { check(row) }
  @Test(arguments: nodes + networks + machines) func wrongKinds(_ row: Rejected) { check(row) }
  @Test(arguments: services + endpoints + probes) func wrongServices(_ row: Rejected) { check(row) }
  @Test(arguments: syntax) func wrongSyntax(_ row: Rejected) { check(row) }

  private func check(_ row: Rejected) {
    do {
      let resources = try ManifestReader.read(row.text, file: "f")
      Issue.record("was taken: \(resources)")
    } catch {
      #expect(error.errors.map(\.description) == row.errors.map { "f:\($0)" })
    }
  }

  static let documents = [
    Rejected("hello", "1:1: must be a mapping, not text"),
    Rejected("- a", "1:1: must be a mapping, not a list"),
    Rejected("5", "1:1: must be a mapping, not a whole number"),
    Rejected("\n\n  {}", "3:3: kind: is missing; it must be Node, VirtualNetwork, VirtualMachine or Service"),
    Rejected(
      "kind: Servce\nmetadata: {name: a}\nspec: {}",
      "1:7: kind: must be Node, VirtualNetwork, VirtualMachine or Service, not Servce"),
    Rejected(
      "kind: [Node]", "1:7: kind: must be Node, VirtualNetwork, VirtualMachine or Service, not a list"),
    Rejected(
      "kind: VirtualNetwork\nmetadata: {name: a}\nspec: {prefixes: [10.0.0.0/8]}\nstatus: {}",
      "4:1: status: unknown key; known are kind, metadata, spec"),
    Rejected(
      "kind: VirtualNetwork\nmetadata: {name: a}", "1:1: spec: is missing; it must be a mapping"),
    Rejected(
      "kind: VirtualNetwork\nmetadata: {name: a}\nspec:", "1:1: spec: is missing; it must be a mapping"),
    Rejected(
      "kind: VirtualNetwork\nspec: {prefixes: [10.0.0.0/8]}",
      "1:1: metadata: is missing; it must be a mapping with a name"),
  ]

  static let metadata = [
    Rejected(network("{}"), "2:11: metadata.name: is missing; it must be \(name)"),
    Rejected(network("a"), "2:11: metadata: must be a mapping, not text"),
    Rejected(network("{name: A}"), "2:18: metadata.name: must be \(name), not A"),
    Rejected(network("{name: a_b}"), "2:18: metadata.name: must be \(name), not a_b"),
    Rejected(network("{name: \"\"}"), "2:18: metadata.name: must not be empty"),
    Rejected(network("{name: größe}"), "2:18: metadata.name: must be \(name), not größe"),
    Rejected(
      network("{name: 12}"),
      "2:18: metadata.name: must be text, not a whole number; write \"12\" in quotes if it is meant"),
    Rejected(
      network("{name: no}"),
      "2:18: metadata.name: must be text, not a boolean; write \"no\" in quotes if it is meant"),
    Rejected(network("{name: [a]}"), "2:18: metadata.name: must be text, not a list"),
    Rejected(
      network("{name: \(String(repeating: "a", count: 64))}"),
      "2:18: metadata.name: must be \(name), not \(String(repeating: "a", count: 64))"),
    Rejected(
      network("{name: a, labels: {}}"), "2:21: metadata.labels: unknown key; known are name"),
    Rejected(
      network("{Name: a}"), "2:11: metadata.name: is missing; it must be \(name)",
      "2:12: metadata.Name: unknown key; did you mean name?"),
  ]

  private static func network(_ metadata: String) -> String {
    "kind: VirtualNetwork\nmetadata: \(metadata)\nspec: {prefixes: [10.0.0.0/8]}"
  }

  static let nodes = [
    Rejected(
      node("{}"), "3:7: spec.address: is missing; it must be \(address)",
      "3:7: spec.roles: is missing; it must be a list of host, mux, manager"),
    Rejected(node("{address: 10.0.0, roles: [mux]}"), "3:17: spec.address: must be \(address), not 10.0.0"),
    Rejected(
      node("{address: 10.0.0.256, roles: [mux]}"), "3:17: spec.address: must be \(address), not 10.0.0.256"),
    Rejected(
      node("{address: 010.0.0.1, roles: [mux]}"), "3:17: spec.address: must be \(address), not 010.0.0.1"),
    Rejected(node("{address: \"::1\", roles: [mux]}"), "3:17: spec.address: must be \(address), not ::1"),
    Rejected(node("{address: 10.0.0.1, roles: []}"), "3:34: spec.roles: must have at least one element"),
    Rejected(
      node("{address: 10.0.0.1, roles: mux}"),
      "3:34: spec.roles: must be a list, not text; each must be host, mux or manager"),
    Rejected(
      node("{address: 10.0.0.1, roles: [mux, router]}"),
      "3:40: spec.roles[1]: must be host, mux or manager, not router"),
    Rejected(node("{address: 10.0.0.1, roles: [mux, mux]}"), "3:34: spec.roles: names a role twice"),
    Rejected(
      node("{address: 10.0.0.1, roles: [host], locators: 10.64.1.1/24}"),
      "3:52: spec.locators: must be an IPv4 prefix such as 10.0.0.0/24; did you mean 10.64.1.0/24?"),
    Rejected(
      node("{address: 10.0.0.1, roles: [host], locator: 10.64.1.0/24}"),
      "3:42: spec.locator: unknown key; did you mean locators?"),
  ]

  static let networks = [
    Rejected(
      "kind: VirtualNetwork\nmetadata: {name: a}\nspec: {}",
      "3:7: spec.prefixes: is missing; it must be a list"),
    Rejected(
      "kind: VirtualNetwork\nmetadata: {name: a}\nspec: {prefixes: []}",
      "3:18: spec.prefixes: must have at least one element"),
    Rejected(
      "kind: VirtualNetwork\nmetadata: {name: a}\nspec:\n  prefixes:\n  - 10.0.0.0/33\n  - 10.0.0.0\n  - 7",
      "5:5: spec.prefixes[0]: must be an IPv4 prefix such as 10.0.0.0/24, not 10.0.0.0/33",
      "6:5: spec.prefixes[1]: must be an IPv4 prefix such as 10.0.0.0/24, not 10.0.0.0",
      "7:5: spec.prefixes[2]: must be an IPv4 prefix such as 10.0.0.0/24, not 7"),
  ]

  static let machines = [
    Rejected(
      machine("{network: n, dip: 10.0.0.1, host: h}"),
      "3:7: spec.attachment: is missing; it must be a mapping with netns"),
    Rejected(
      machine("{network: n, dip: 10.0.0.1, host: h, attachment: {device: eth0}}"),
      "3:56: spec.attachment.netns: is missing; it must be a file name without /"),
    Rejected(
      machine("{network: n, dip: 10.0.0.1, host: h, attachment: {netns: a/b}}"),
      "3:64: spec.attachment.netns: must be a file name without /, not a/b"),
    Rejected(
      machine("{network: n, dip: 10.0.0.1, host: h, attachment: {netns: a, device: a-name-too-long-0}}"),
      "3:75: spec.attachment.device: must be an interface name of at most 15 bytes, not a-name-too-long-0"),
    Rejected(
      machine("{network: n, dip: 10.0.0.1, host: h, attachment: {netns: a, type: tap}}"),
      "3:73: spec.attachment.type: must be tun or veth, not tap"),
    Rejected(
      machine("{network: n, dip: 10.0.0.1, host: H, atachment: {netns: a}}"),
      "3:7: spec.attachment: is missing; it must be a mapping with netns",
      "3:41: spec.host: must be \(name), not H", "3:44: spec.atachment: unknown key; did you mean attachment?"
    ),
    Rejected(
      machine("{network: n, dip: null, host: h, attachment: {netns: a}}"),
      "3:7: spec.dip: is missing; it must be \(address)"),
  ]

  static let services = [
    Rejected(service("  endpoints: []"), "4:3: spec.vip: is missing; it must be \(address)"),
    Rejected(service("  vip: 1.2.3.4/32"), "4:8: spec.vip: must be \(address), not 1.2.3.4/32"),
    Rejected(
      service("  vip: 1.2.3.4\n  snat: blue-1"),
      "5:9: spec.snat: must be a list, not text; each must be \(name)"),
    Rejected(
      service("  vip: 1.2.3.4\n  snatVIPs: [1.2.3.5, blue]"),
      "5:23: spec.snatVIPs[1]: must be an IPv4 address such as 10.0.0.1, not blue"),
    Rejected(
      service("  vip: 1.2.3.4\n  snatVIPs: 1.2.3.5"),
      "5:13: spec.snatVIPs: must be a list, not text; each must be an IPv4 address such as 10.0.0.1"),
    Rejected(
      service("  vip: 1.2.3.4\n  snatPortsPerMachine: 1001"),
      "5:24: spec.snatPortsPerMachine: must be a multiple of 8 from 8 to 64512, not 1001"),
    Rejected(
      service("  vip: 1.2.3.4\n  snatPortsPerMachine: 0"),
      "5:24: spec.snatPortsPerMachine: must be a whole number from 8 to 64512, not 0"),
    Rejected(
      service("  vip: 1.2.3.4\n  snatPortsPerMachine: 64520"),
      "5:24: spec.snatPortsPerMachine: must be a whole number from 8 to 64512, not 64520"),
    Rejected(
      service("  vip: 1.2.3.4\n  snatPorts: 8"),
      "5:3: spec.snatPorts: unknown key; did you mean snatPortsPerMachine?"),
    Rejected(service("  vip: 1.2.3.4\n  snat: [b, B]"), "5:13: spec.snat[1]: must be \(name), not B"),
    Rejected(
      service("  vip: 1.2.3.4\n  fastPath: yes"), "5:13: spec.fastPath: must be true or false, not yes"),
    Rejected(
      service("  vip: 1.2.3.4\n  fastPath: \"true\""), "5:13: spec.fastPath: must be true or false, not true"),
    Rejected(
      service("  vip: 1.2.3.4\n  fastpath: true"), "5:3: spec.fastpath: unknown key; did you mean fastPath?"),
    Rejected(
      service("  vip: 1.2.3.4\n  endpoints: {port: 80}"),
      "5:14: spec.endpoints: must be a list, not a mapping; each must be a mapping"),
    Rejected(
      service("  vip: 1.2.3.4\n  endpoints: [80]"),
      "5:15: spec.endpoints[0]: must be a mapping, not a whole number"),
  ]

  static let endpoints = [
    Rejected(
      endpoint("prot: tcp\n      port: 80\n      backends: []"),
      "6:7: spec.endpoints[0].prot: unknown key; did you mean protocol?",
      "6:7: spec.endpoints[0].protocol: is missing; it must be tcp or udp"),
    Rejected(
      endpoint("protocol: sctp\n      port: 80\n      backends: []"),
      "6:17: spec.endpoints[0].protocol: must be tcp or udp, not sctp"),
    Rejected(
      endpoint("protocol: tcp\n      port: 0\n      backends: []"),
      "7:13: spec.endpoints[0].port: \(port), not 0"),
    Rejected(
      endpoint("protocol: tcp\n      port: 65536\n      backends: []"),
      "7:13: spec.endpoints[0].port: \(port), not 65536"),
    Rejected(
      endpoint("protocol: tcp\n      port: \"80\"\n      backends: []"),
      "7:13: spec.endpoints[0].port: \(port), not 80"),
    Rejected(
      endpoint("protocol: tcp\n      port: 0x50\n      backends: []"),
      "7:13: spec.endpoints[0].port: \(port), not 0x50"),
    Rejected(
      endpoint("protocol: tcp\n      port: 080\n      backends: []"),
      "7:13: spec.endpoints[0].port: \(port), not 080"),
    Rejected(
      endpoint("protocol: tcp\n      port: 99999999999999999999\n      backends: []"),
      "7:13: spec.endpoints[0].port: \(port), not 99999999999999999999"),
    Rejected(
      endpoint("protocol: tcp\n      port: 80"),
      "6:7: spec.endpoints[0].backends: is missing; it must be a list"),
    Rejected(
      endpoint("protocol: tcp\n      port: 80\n      affinity: sticky\n      backends: []"),
      "8:17: spec.endpoints[0].affinity: must be fiveTuple, sourceAndDestination or "
        + "sourceDestinationAndProtocol, not sticky"),
    Rejected(
      endpoint("protocol: tcp\n      port: 80\n      idleTimeout: 4 m\n      backends: []"),
      "8:20: spec.endpoints[0].idleTimeout: must be a duration such as 500ms, 2s, 4m or 1h, from 1ms to 24h, not 4 m"
    ),
    Rejected(
      endpoint("protocol: tcp\n      port: 80\n      idleTimeout: 240\n      backends: []"),
      "8:20: spec.endpoints[0].idleTimeout: must be a duration such as 500ms, 2s, 4m or 1h, from 1ms to 24h, not 240"
    ),
    Rejected(
      endpoint("protocol: tcp\n      port: 80\n      idleTimeout: 25h\n      backends: []"),
      "8:20: spec.endpoints[0].idleTimeout: must be a duration such as 500ms, 2s, 4m or 1h, from 1ms to 24h, not 25h"
    ),
    Rejected(
      endpoint(
        "protocol: tcp\n      port: 80\n      backends:\n      - {vm: b, weight: 101}\n      - {weight: 1}\n      - b"
      ),
      "9:25: spec.endpoints[0].backends[0].weight: must be a whole number from 0 to 100, not 101",
      "10:9: spec.endpoints[0].backends[1].vm: is missing; it must be \(name)",
      "11:9: spec.endpoints[0].backends[2]: must be a mapping, not text"),
    Rejected(
      endpoint(
        "protocol: tcp\n      port: 80\n      backends:\n      - {vm: b, weight: -1}\n      - {vm: c, weight: 1.5}"
      ),
      "9:25: spec.endpoints[0].backends[0].weight: must be a whole number from 0 to 100, not -1",
      "10:25: spec.endpoints[0].backends[1].weight: must be a whole number from 0 to 100, not 1.5"),
  ]

  static let probes = [
    Rejected(probe("interval: 2s"), "10:9: spec.endpoints[0].probe: must have either tcp or http"),
    Rejected(
      probe("tcp: {}\n        http: {path: /}"), "10:9: spec.endpoints[0].probe: must have either tcp or http"
    ),
    Rejected(
      probe("http: {}"),
      "10:15: spec.endpoints[0].probe.http.path: is missing; it must be a path that begins with / and has no spaces"
    ),
    Rejected(
      probe("http: {path: healthz}"),
      "10:22: spec.endpoints[0].probe.http.path: must be a path that begins with / and has no spaces, not healthz"
    ),
    Rejected(
      probe("tcp: {port: 80}"), "10:15: spec.endpoints[0].probe.tcp.port: unknown key; known are "),
    Rejected(
      probe("tcp: {}", transport: "udp"),
      "10:9: spec.endpoints[0].probe.port: is missing; it must be a port from 1 to 65535"),
    Rejected(
      probe("tcp: {}\n        interval: 99ms"),
      "11:19: spec.endpoints[0].probe.interval: must be a duration such as 500ms, 2s, 4m or 1h, "
        + "from 100ms to 5m, not 99ms"),
    Rejected(
      probe("tcp: {}\n        interval: 500ms\n        timeout: 1s"),
      "12:18: spec.endpoints[0].probe.timeout: must not be longer than the interval, 500ms"),
    Rejected(
      probe("tcp: {}\n        threshold: 11"),
      "11:20: spec.endpoints[0].probe.threshold: must be a whole number from 1 to 10, not 11"),
  ]

  static let syntax = [
    Rejected(
      "a: [", "2:1: is no YAML: while parsing a flow node (line 2): did not find expected node content"),
    Rejected("a: b: c", "1:5: is no YAML: mapping values are not allowed in this context"),
    Rejected("a: *b", "1:4: is no YAML: found undefined alias"),
    Rejected(
      "\ta: 1",
      "1:1: is no YAML: while scanning for the next token (line 1): found character that cannot start any token"
    ),
    Rejected("kind: Node\nspec:\n  a: 1\n  b: 2\n  a: 3", "5:3: a: the key is there twice, first in line 3"),
    Rejected("a: !!int 5", "1:4: a: tags such as !!int are not understood; leave it out"),
    Rejected("? [a]\n: b", "1:3: a key must be text"),
    Rejected("a: &x [1]\n*x : 2", "2:4: next to aliases, a key must be plain text"),
    Rejected(
      "kind: Node\nmetadata: {name: a}\nspec: &x\n  <<: {}\n  address: 10.0.0.1\n  roles: [mux]",
      "4:3: spec.<<: merge keys are not understood; write the keys out"),
    // An error in one document does not hide those in the next.
    Rejected(
      "a: [\n---\nb: ]\n---\nkind: X",
      "2:1: is no YAML: while parsing a flow node (line 2): did not find expected node content",
      "3:4: is no YAML: while parsing a block node (line 3): did not find expected node content",
      "5:7: kind: must be Node, VirtualNetwork, VirtualMachine or Service, not X"),
  ]
}
