import Control
import Manifest
import Testing
import Wire

@Suite struct ManifestReaderTests {
  private static let blue = """
    # The tenant blue.
    kind: Node
    metadata: {name: host1}
    spec:
      address: 10.1.11.2
      roles: [mux, host]
      locators: 10.64.1.0/24
    ---
    ---
    # nothing
    ---
    kind: VirtualMachine
    metadata: {name: blue-1}
    spec: {network: blue, dip: 10.0.0.11, host: host1, attachment: {netns: ananta-blue-1}}
    ...
    kind: Service
    metadata: {name: blue}
    spec:
      vip: 203.0.113.10
      endpoints:
        - {protocol: tcp, port: 80, backendPort: 8080, backends: &all [{vm: blue-1}], probe: {http: {path: /healthz}}}
        - protocol: udp
          port: 53
          backends: *all
          probe: {tcp: {}, port: 54, interval: 500ms, threshold: 3}
      snat: [blue-1]
    """

  @Test func documentsAndDefaults() throws {
    let resources = try ManifestReader.read(Self.blue, file: "blue.yaml")
    let backends = [Backend(machine: "blue-1", weight: 1)]
    let expected: [Resource] = [
      .node(
        Node(
          name: "host1", address: IPv4Address(10, 1, 11, 2), roles: [.host, .mux],
          locators: IPv4Prefix(IPv4Address(10, 64, 1, 0), length: 24))),
      .virtualMachine(
        VirtualMachine(
          name: "blue-1", network: "blue", dip: IPv4Address(10, 0, 0, 11), host: "host1",
          attachment: .networkNamespace(name: "ananta-blue-1", device: "eth0"))),
      .service(
        Service(
          name: "blue", vip: IPv4Address(203, 0, 113, 10),
          endpoints: [
            Endpoint(
              name: "tcp-80", transport: .tcp, port: 80, backendPort: 8080, backends: backends,
              probe: Probe(method: .http(path: "/healthz"), port: 8080), idleTimeoutMilliseconds: 240_000),
            Endpoint(
              name: "udp-53", transport: .udp, port: 53, backendPort: 53, backends: backends,
              probe: Probe(
                method: .tcp, port: 54, intervalMilliseconds: 500, timeoutMilliseconds: 500, threshold: 3),
              idleTimeoutMilliseconds: 60_000),
          ], snat: ["blue-1"])),
    ]
    #expect(resources.map(\.resource) == expected)
  }

  @Test func findingsFindTheirPlace() throws {
    let resources = try ManifestReader.read(Self.blue, file: "blue.yaml")
    func place(_ path: String) -> String {
      let key = ResourceKey(.service, "blue")
      return resources[2].error(Finding(key: key, path: path, reason: "R")).description
    }
    #expect(place("spec.vip") == "blue.yaml:19:8: spec.vip: R")
    #expect(place("spec.endpoints[1].port") == "blue.yaml:23:13: spec.endpoints[1].port: R")
    #expect(place("spec.endpoints[1].backendPort") == "blue.yaml:22:7: spec.endpoints[1].backendPort: R")
    #expect(place("spec.snat[0]") == "blue.yaml:26:10: spec.snat[0]: R")
    #expect(place("spec.snat[7]") == "blue.yaml:26:9: spec.snat[7]: R")
    #expect(place("metadata.name") == "blue.yaml:17:18: metadata.name: R")
    #expect(place("") == "blue.yaml:16:1: R")
  }

  @Test func resourcesAreUniqueAcrossFiles() {
    var reader = ManifestReader()
    reader.add("kind: VirtualNetwork\nmetadata: {name: a}\nspec: {prefixes: [10.0.0.0/8]}\n", file: "1.yaml")
    reader.add(
      "# here\nkind: VirtualNetwork\nmetadata: {name: a}\nspec: {prefixes: [10.0.0.0/8]}\n", file: "2.yaml")
    let errors = #expect(throws: ManifestErrors.self) { try reader.finish() }
    #expect(
      errors?.description == "2.yaml:3:18: metadata.name: VirtualNetwork/a is there twice, first in 1.yaml:2")
  }

  @Test func linesEndAsTheyLike() throws {
    let text =
      "kind: VirtualNetwork\r\nmetadata: {name: a}\r\nspec: {prefixes: [10.0.0.0/8]}\r\n---\r\nkind: 7\r\n"
    let errors = #expect(throws: ManifestErrors.self) { try ManifestReader.read(text, file: "f") }
    #expect(errors?.errors.map(\.position.line) == [5])
  }

  @Test func emptyTextHasNoResources() throws {
    for text in ["", "\n", "---\n", "# a\n---\n...\n---", "~", "--- \n--- # x\n"] {
      #expect(try ManifestReader.read(text, file: "f").isEmpty, "\(text)")
    }
  }

  @Test(arguments: ["a: &a [x,x,x,x,x,x,x,x,x,x]\n", "a: &a {b: x}\n"]) func bombsAreDefused(start: String) {
    var text = start
    for level in 1..<40 {
      let above = String(repeating: "*\(level == 1 ? "a" : "a\(level - 1)"),", count: 10)
      text += "a\(level): &a\(level) [\(above)]\n"
    }
    let errors = #expect(throws: ManifestErrors.self) { try ManifestReader.read(text, file: "f") }
    #expect(errors?.errors.isEmpty == false)
    let asKey = text + "? *a30\n: x\n"
    #expect(throws: ManifestErrors.self) { try ManifestReader.read(asKey, file: "f") }
    let inFlow = text + "b: {*a30}\n"
    #expect(throws: ManifestErrors.self) { try ManifestReader.read(inFlow, file: "f") }
  }

  @Test(arguments: ["[", "{a: ", "- ", "? "]) func depthIsLimited(opening: String) {
    for depth in [33, 500, 5000, 100_000] {
      #expect(throws: ManifestErrors.self) {
        try ManifestReader.read(String(repeating: opening, count: depth), file: "f")
      }
      let closed = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      #expect(throws: ManifestErrors.self) { try ManifestReader.read("a: " + closed, file: "f") }
    }
  }

  @Test func onlyTheFirstErrorsAreKept() {
    let text = (0..<500).map { "kind: \($0)\n---\n" }.joined()
    let errors = #expect(throws: ManifestErrors.self) { try ManifestReader.read(text, file: "f") }
    #expect(errors?.errors.count == 101)
    #expect(errors?.errors.last?.reason == "400 more errors are not shown")
  }
}
