import Control
import Manager
import Testing
import Wire

@testable import Replication

@Suite("What an entry may have at most") struct EntryBoundTests {
  /// Texts that JSON writes as they are, with six octets for one, and as octets of several.
  private static let texts = ["", "vm1", String(repeating: "\u{1}", count: 200), "\u{1F44D}\"\\\u{301}/é"]
  private static let address = IPv4Address(255, 255, 255, 255)
  private static let prefix = IPv4Prefix(address, length: 32)

  private static func resources(_ text: String, count: Int) -> [Resource] {
    let probe = Probe(
      method: .http(path: text), port: .max, intervalMilliseconds: .min, timeoutMilliseconds: .min,
      threshold: .min)
    let endpoint = Endpoint(
      name: text, transport: .udp, port: .max, backendPort: .max,
      backends: Array(repeating: Backend(machine: text, weight: .min), count: count), probe: probe,
      affinity: .sourceDestinationAndProtocol, idleTimeoutMilliseconds: .min)
    return [
      .node(
        Node(
          name: text, address: address, roles: Array(repeating: .manager, count: count), locators: prefix)),
      .virtualNetwork(VirtualNetwork(name: text, prefixes: Array(repeating: prefix, count: count))),
      .virtualMachine(
        VirtualMachine(
          name: text, network: text, dip: address, host: text,
          attachment: .networkNamespace(name: text, device: text, kind: .veth))),
      .service(
        Service(
          name: text, vip: address, endpoints: Array(repeating: endpoint, count: count),
          snat: Array(repeating: text, count: count), fastPath: true)),
    ]
  }

  @Test("is never less than it has", arguments: texts, [0, 1, 7, 300]) func bound(text: String, count: Int)
    throws
  {
    let author = Author(name: text, at: .max)
    for resource in Self.resources(text, count: count) {
      for entry in [
        Entry.operation(.apply(Array(repeating: resource, count: count)), by: author),
        .operation(.delete(Array(repeating: resource.key, count: count)), by: author),
      ] where count < 100 || resource.key.kind != .service {
        let octets = try EntryCoding.encode(entry).count
        let most = try #require(EntryBound.octets(of: entry))
        #expect(octets <= most, "\(resource.key.kind)")
      }
    }
  }

  @Test("is found for ordinary changes without writing them") func ordinary() throws {
    let machines = (0..<3_000).map { number in
      Resource.virtualMachine(
        VirtualMachine(
          name: "vm\(number)", network: "blue", dip: Self.address, host: "host1",
          attachment: .networkNamespace(name: "vm\(number)", device: "eth0")))
    }
    let entry = Entry.operation(.apply(machines), by: Author(name: "admin", at: 0))
    #expect(try #require(EntryBound.octets(of: entry)) < 4 << 20)
    #expect(EntryBound.octets(of: .epochBegan(Epoch(1))) == nil)
  }
}
