import Control
import Manager
import Testing
import Wire

/// What hosts report of backends, while others want something, too.
@Suite("Reports of health") struct HealthTests {
  private static let author = Author(name: "alice", at: 1_000)
  private static let key = EndpointKey(vip: ip("203.0.113.10"), transport: .tcp, port: 80)

  private static let foundation: [Resource] = [
    .node(Node(name: "host1", address: ip("10.1.11.2"), roles: [.host], locators: prefix("10.64.1.0/29"))),
    .virtualNetwork(VirtualNetwork(name: "blue", prefixes: [prefix("10.0.0.0/24")])),
    .virtualMachine(
      VirtualMachine(
        name: "vm1", network: "blue", dip: ip("10.0.0.1"), host: "host1",
        attachment: .networkNamespace(name: "vm1", device: "eth0"))),
    .service(
      Service(
        name: "web", vip: key.vip,
        endpoints: [
          Endpoint(
            name: "http", transport: .tcp, port: 80, backendPort: 8080,
            backends: [Backend(machine: "vm1", weight: 1)], probe: probe, idleTimeoutMilliseconds: 240_000)
        ])),
  ]
  private static let probe = Probe(
    method: .tcp, port: 80, intervalMilliseconds: 1000, timeoutMilliseconds: 500, threshold: 2)

  private static func operation(_ index: Int) -> Control.Operation {
    .apply([.virtualNetwork(VirtualNetwork(name: "v\(index)", prefixes: [prefix("10.0.0.0/24")]))])
  }

  private static func health(_ reason: String) -> Input {
    .report(
      .health([HealthChange(locator: ip("10.64.1.1"), key: key, isHealthy: false, reason: reason)]),
      SessionID(1))
  }

  /// A primary with one host, at revision 2.
  private static func primary() -> Manager {
    var manager = Manager(ManagerState())
    _ = manager.handle(.becamePrimary(Epoch(1)))
    _ = manager.handle(.request(RequestID(1), .apply(foundation), dryRun: false, by: author))
    _ = manager.handle(
      .committed([
        CommittedEntry(revision: Revision(1), entry: .epochBegan(Epoch(1))),
        CommittedEntry(revision: Revision(2), entry: .operation(.apply(foundation), by: author)),
      ]))
    let hello = Hello(node: "host1", roles: [.host], epoch: .none, revision: Revision(0))
    _ = manager.handle(.connected(hello, SessionID(1)))
    return manager
  }

  @Test("operators who use up their room leave that of health alone") func room() {
    var manager = Self.primary()
    var taken = 0
    for index in 0..<4200 {
      let id = RequestID(UInt64(10 + index))
      let outputs = manager.handle(.request(id, Self.operation(index), dryRun: false, by: Self.author))
      guard case .append? = outputs.first else { break }
      taken += 1
    }
    #expect(taken == 4096)
    let entry = Entry.health(
      [HealthChange(locator: ip("10.64.1.1"), key: Self.key, isHealthy: false, reason: "timed out")],
      node: "host1")
    #expect(manager.handle(Self.health("timed out")) == [.append(entry)])
  }

  @Test("more reports than may be under way end the stream, and leave the operators' room alone")
  func tooMany() {
    var manager = Self.primary()
    for index in 0..<1024 { #expect(manager.handle(Self.health("\(index)")).count == 1) }
    guard case .close(SessionID(1), let reason)? = manager.handle(Self.health("more")).first else {
      Issue.record("the stream goes on")
      return
    }
    #expect(reason.contains("1024"))
    let outputs = manager.handle(.request(RequestID(9), Self.operation(1), dryRun: false, by: Self.author))
    #expect(outputs == [.append(.operation(Self.operation(1), by: Self.author))])
  }

  @Test(
    "a reason is a few words of one line",
    arguments: [
      ("timed out", "timed out"), ("a\r\nb\u{1b}[31m", "a  b [31m"),
      (String(repeating: "x", count: 500), String(repeating: "x", count: 120)),
      (String(repeating: "\u{1F44D}", count: 50), String(repeating: "\u{1F44D}", count: 30)),
      ("ab" + String(repeating: "\u{301}", count: 500), "ab" + String(repeating: "\u{301}", count: 59)),
    ])
  func reasons(said: String, kept: String) {
    var manager = Self.primary()
    guard case .append(.health(let changes, _))? = manager.handle(Self.health(said)).first else {
      Issue.record("nothing was appended")
      return
    }
    #expect(changes.map(\.reason) == [kept])
  }
}
