import Control
import GRPCCore
import Paxos
import Replication
import Synchronization
import Testing

@testable import Transport

/// A manager's links with the server they are dialled at, and all that is heard.
private final class Member: Sendable {
  let number: UInt64
  let links: ReplicaLinks
  let heard = Mutex<[PeerEvent]>([])
  private let running = Mutex<(server: RunningServer, dialling: Task<Void, Never>)?>(nil)
  let address: ManagerAddress
  private let security: TransportSecurity

  init(
    _ number: UInt64, at address: ManagerAddress, of managers: [ManagerAddress],
    security: TransportSecurity = .plaintext, cluster: UInt64? = 7, node: String? = nil
  ) {
    self.number = number
    self.address = address
    self.security = security
    links = ReplicaLinks(managers: managers, own: address, security: security, logger: silent)
    links.listen { event in self.heard.withLock { $0.append(event) } }
    links.introduce(hello(cluster: cluster, node: node))
  }

  func hello(cluster: UInt64? = 7, node: String? = nil) -> PeerHello {
    PeerHello(
      cluster: cluster.map { ClusterID($0) }, replica: ReplicaID(number), node: node ?? "m\(number)",
      address: address, managersDigest: 1)
  }

  func start() async throws {
    let server = try await RunningServer.start(
      ScriptedManager(), replicas: links, port: address.port, security: security)
    let dialling = Task { await self.links.run() }
    running.withLock { $0 = (server, dialling) }
  }

  func stop() async throws {
    let running = running.withLock { running in
      defer { running = nil }
      return running
    }
    running?.dialling.cancel()
    await running?.dialling.value
    try await running?.server.stop()
  }

  func has(_ event: PeerEvent) -> Bool { heard.withLock { $0.contains(event) } }

  func send(_ beat: UInt64, to other: Member) { links.send(envelope(beat, to: other)) }

  func envelope(_ beat: UInt64, to other: Member) -> Envelope {
    Envelope(
      cluster: ClusterID(7), from: ReplicaID(number), to: ReplicaID(other.number),
      message: .heartbeat(.none, committed: .none, sent: beat))
  }

  func count(_ name: String, _ labels: [String: String]) -> UInt64 {
    links.counters().first { $0.name == name && $0.labels == labels }?.value ?? 0
  }

  func serverRefusals(_ reason: String) -> UInt64 {
    running.withLock { $0?.server.refusals(reason) ?? 0 }
  }

  func refusals(_ reason: String) -> UInt64 { count("ananta_replica_refusals_total", ["reason": reason]) }
}

@Suite(.timeLimit(.minutes(2)), .serialized) struct ReplicaLinksTests {
  /// Ports that were free a moment ago.
  private func addresses(_ count: Int) async throws -> [ManagerAddress] {
    var servers: [RunningServer] = []
    for _ in 0..<count { servers.append(try await RunningServer.start(ScriptedManager())) }
    for server in servers { try await server.stop() }
    return servers.map(\.address)
  }

  @Test(arguments: [false, true]) func threeManagersHearOneAnother(isSecured: Bool) async throws {
    let pki = try TestPKI()
    let places = try await addresses(3)
    let members = try (0..<3).map { index in
      Member(
        UInt64(index + 1), at: places[index], of: places,
        security: isSecured ? try pki.manager("m\(index + 1)") : .plaintext)
    }
    for member in members { try await member.start() }
    for member in members {
      for other in members where other !== member {
        #expect(try await eventually { member.has(.hello(other.hello())) })
      }
    }
    // Until the link in this direction is up as well, messages are dropped.
    for member in members {
      for other in members where other !== member {
        #expect(
          try await eventually {
            member.send(5, to: other)
            return other.has(.envelope(member.envelope(5, to: other)))
          })
      }
    }
    let status = PeerStatus(
      replica: ReplicaID(1), role: .leader, isVoter: true, ballot: .none, committed: Slot(4),
      snapshot: .none, seconds: 2)
    members[0].links.broadcast(status)
    #expect(try await eventually { members[1].has(.status(status)) && members[2].has(.status(status)) })
    let formed = members[0].hello(cluster: nil)
    members[0].links.introduce(formed)
    #expect(try await eventually { members[1].has(.hello(formed)) && members[2].has(.hello(formed)) })
    for member in members { try await member.stop() }
  }

  @Test func aLinkComesBackWithItsManager() async throws {
    let places = try await addresses(2)
    let a = Member(1, at: places[0], of: places)
    var b = Member(2, at: places[1], of: places)
    try await a.start()
    for round in UInt64(1)...3 {
      b = Member(2, at: places[1], of: places)
      try await b.start()
      #expect(
        try await eventually {
          a.send(round, to: b)
          return b.has(.envelope(a.envelope(round, to: b)))
        })
      try await b.stop()
      #expect(
        try await eventually {
          let before = a.count("ananta_replica_dropped_total", ["reason": "no-link"])
          a.send(99, to: b)
          return a.count("ananta_replica_dropped_total", ["reason": "no-link"]) > before
        })
    }
    try await a.stop()
  }

  @Test func aPeerThatSaysNothingIsLeft() async throws {
    // A manager that accepts links and never answers: it has not read its disk.
    let places = try await addresses(2)
    let a = Member(1, at: places[0], of: places)
    let silentLinks = ReplicaLinks(
      managers: places, own: places[1], security: .plaintext, logger: silent)
    let server = try await RunningServer.start(
      ScriptedManager(), replicas: silentLinks, port: places[1].port)
    try await a.start()
    #expect(try await eventually { silentLinks.counters().contains { $0.labels["reason"] == "not-ready" } })
    a.links.send(a.envelope(1, to: a))
    #expect(a.count("ananta_replica_dropped_total", ["reason": "no-link"]) == 1)
    try await a.stop()
    try await server.stop()
  }

  @Test func anotherClusterIsRefusedByBoth() async throws {
    let places = try await addresses(2)
    let a = Member(1, at: places[0], of: places)
    let b = Member(2, at: places[1], of: places, cluster: 8)
    try await a.start()
    try await b.start()
    #expect(try await eventually { a.refusals("cluster") > 0 && b.refusals("cluster") > 0 })
    #expect(!a.has(.hello(b.hello(cluster: 8))) && !b.has(.hello(a.hello())))
    try await a.stop()
    try await b.stop()
  }

  /// A host with a certificate that is good for other things, and a manager that says it is another one.
  @Test(arguments: [
    (Identity.node("m2", roles: [.mux, .host]), "not-a-manager"),
    (Identity.node("m3", roles: [.manager]), "another-node"),
    (Identity.operator("m2", .admin), "operator-as-node"),
  ])
  func onlyManagersAndOnlyAsThemselves(identity: Identity, label: String) async throws {
    let pki = try TestPKI()
    let places = try await addresses(2)
    let a = Member(1, at: places[0], of: places, security: try pki.manager("m1"))
    try await a.start()
    let links = ReplicaLinks(
      managers: places, own: places[1], security: try pki.issue(identity, as: "x"), logger: silent)
    links.introduce(Member(2, at: places[1], of: places).hello())
    let dialling = Task { await links.run() }
    #expect(try await eventually { a.serverRefusals(label) > 0 })
    links.send(Member(2, at: places[1], of: places).envelope(1, to: a))
    #expect(links.counters().contains { $0.labels["reason"] == "no-link" && $0.value == 1 })
    dialling.cancel()
    await dialling.value
    #expect(a.heard.withLock { $0.isEmpty })
    try await a.stop()
  }

  /// Over which nothing is said; without this a host could take all places of the managers.
  @Test(arguments: [
    (Identity.node("h1", roles: [.host]), "does not allow the role manager"),
    (.operator("bob", .readOnly), "bob is an operator"), (.node("m2", roles: [.manager]), "no hello"),
  ])
  func aSilentLinkEnds(identity: Identity, part: String) async throws {
    let pki = try TestPKI()
    let places = try await addresses(1)
    let a = Member(1, at: places[0], of: places, security: try pki.manager("m1"))
    try await a.start()
    let security = try pki.issue(identity, as: "x")
    let began = ContinuousClock.now
    let reason = try await ManagerConnection(address: places[0], security: security).with { client in
      do {
        try await ProtoReplicas.Client(wrapping: client).link(options: ManagerConnection.options()) { _ in
          try await Task.sleep(for: .seconds(60))
        } onResponse: { response in
          for try await _ in response.messages {}
        }
        return "it has ended"
      } catch let error as RPCError {
        return error.message
      }
    }
    #expect(reason.contains(part), "\(reason)")
    // Long before its own end.
    #expect(ContinuousClock.now - began < .seconds(45))
    try await a.stop()
  }

  @Test func aMessageOfAnotherReplicaEndsTheLink() throws {
    let place = ManagerAddress(host: "127.0.0.1", port: 1)
    let a = Member(1, at: place, of: [place])
    let link = try a.links.accept()
    let b = Member(2, at: place, of: [place])
    #expect(throws: LinkRefusal.self) { try a.links.take(.envelope(b.envelope(1, to: a)), over: link) }
    try a.links.take(.hello(b.hello()), over: link)
    try a.links.take(.envelope(b.envelope(1, to: a)), over: link)
    let c = Member(3, at: place, of: [place])
    #expect(throws: LinkRefusal.self) { try a.links.take(.envelope(c.envelope(1, to: a)), over: link) }
    #expect(throws: LinkRefusal.self) { try a.links.take(.hello(c.hello()), over: link) }
    #expect(a.heard.withLock { $0 } == [.hello(b.hello()), .envelope(b.envelope(1, to: a))])
  }

  @Test func thereAreOnlySoManyLinks() throws {
    let place = ManagerAddress(host: "127.0.0.1", port: 1)
    let a = Member(1, at: place, of: [place])
    let links = try (0..<Transport.Limits.replicaLinks).map { _ in try a.links.accept() }
    #expect(throws: ManagementError.self) { try a.links.accept() }
    a.links.forget(links[0])
    _ = try a.links.accept()
  }
}
