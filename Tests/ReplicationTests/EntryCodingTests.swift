import Control
import Manager
import Paxos
import Testing
import Wire

@testable import Replication

@Suite("Entries of a manager as octets") struct EntryCodingTests {
  private static let author = Author(name: "test", at: 0)
  private static let key = EndpointKey(vip: IPv4Address(198, 51, 100, 255), transport: .udp, port: 65_535)
  private static let locator = IPv4Address(203, 0, 113, 101)

  /// One VM behind one probed endpoint, with addresses that are as long in writing as addresses can be.
  private static let foundation = Control.Operation.apply([
    .node(
      Node(
        name: "host1", address: IPv4Address(10, 1, 1, 2), roles: [.host],
        locators: IPv4Prefix(IPv4Address(203, 0, 113, 100), length: 30))),
    .virtualNetwork(
      VirtualNetwork(name: "blue", prefixes: [IPv4Prefix(IPv4Address(10, 0, 0, 0), length: 24)])),
    .virtualMachine(
      VirtualMachine(
        name: "vm1", network: "blue", dip: IPv4Address(10, 0, 0, 1), host: "host1",
        attachment: .networkNamespace(name: "vm1", device: "eth0"))),
    .service(
      Service(
        name: "web", vip: key.vip,
        endpoints: [
          Endpoint(
            name: "dns", transport: .udp, port: key.port, backendPort: 53,
            backends: [Backend(machine: "vm1", weight: 1)], probe: probe, idleTimeoutMilliseconds: 240_000)
        ])),
  ])
  private static let probe = Probe(
    method: .tcp, port: 80, intervalMilliseconds: 1000, timeoutMilliseconds: 500, threshold: 2)

  private static func primary() -> Manager {
    var manager = Manager(ManagerState())
    _ = manager.handle(.becamePrimary(Epoch(1)))
    _ = manager.handle(.request(RequestID(1), foundation, dryRun: false, by: author))
    _ = manager.handle(
      .committed([
        CommittedEntry(revision: Revision(1), entry: .epochBegan(Epoch(1))),
        CommittedEntry(revision: Revision(2), entry: .operation(foundation, by: author)),
      ]))
    let hello = Hello(node: "host1", roles: [.host], epoch: .none, revision: Revision(0))
    _ = manager.handle(.connected(hello, SessionID(1)))
    return manager
  }

  @Test(
    "whatever an agent says of health, each entry fits into the log",
    arguments: [
      (String(repeating: "\u{1}", count: 4096), 10_000), (String(repeating: "\"", count: 4096), 10_000),
      (String(repeating: "\u{1F44D}", count: 4096), 10_000),
      ("e" + String(repeating: "\u{301}", count: 4 << 20), 1),
    ])
  func health(reason: String, count: Int) throws {
    var manager = Self.primary()
    let change = HealthChange(locator: Self.locator, key: Self.key, isHealthy: false, reason: reason)
    let outputs = manager.handle(
      .report(.health(Array(repeating: change, count: count)), SessionID(1)))
    let entries = outputs.compactMap { if case .append(let entry) = $0 { entry } else { nil } }
    #expect(!entries.isEmpty && entries.count == outputs.count)
    for entry in entries {
      #expect(try EntryCoding.encode(entry).count <= Paxos.Limits.commandBytes)
    }
  }
}
