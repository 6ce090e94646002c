import Control
import Foundation
import GRPCCore
import PKI
import Replication
import Synchronization
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(2))) struct TLSTests {
  /// What became of a client's question, and the server that was asked.
  private struct Answer: CustomStringConvertible {
    let text: String
    let server: RunningServer
    var description: String { text }
    func contains(_ part: String) -> Bool { text.contains(part) }
  }

  /// A server with a manager's certificate, and what becomes of a client's question to it.
  private func ask(
    _ service: ScriptedManager = ScriptedManager(), server: TransportSecurity, client: TransportSecurity,
    _ question: (ManagementClient) async throws(ManagementClientError) -> Void = {
      client throws(ManagementClientError) in _ = try await client.state()
    }
  ) async throws -> Answer {
    let running = try await RunningServer.start(service, security: server)
    var text = "answered"
    do throws(ManagementClientError) {
      try await question(running.client(security: client, timeout: .seconds(10)))
    } catch {
      text = "\(error)"
    }
    try await running.stop()
    return Answer(text: text, server: running)
  }

  @Test func anAdministratorChangesUnderTheOwnName() async throws {
    let pki = try TestPKI()
    let service = ScriptedManager()
    let text = try await ask(service, server: pki.manager(), client: pki.administrator()) {
      client throws(ManagementClientError) in
      _ = try await client.perform(.apply([]), dryRun: false)
      try await client.change(.add("m2"))
    }
    #expect(text.text == "answered")
    let ada = Identity.operator("ada", .admin)
    #expect(service.state.withLock { $0.identities } == [ada, ada])
  }

  @Test func readOnlyLooksAndChangesNothing() async throws {
    let pki = try TestPKI()
    let service = ScriptedManager()
    let reader = try pki.issue(.operator("bob", .readOnly), as: "bob")
    let looks = try await ask(service, server: pki.manager(), client: reader) {
      client throws(ManagementClientError) in
      _ = try await client.state()
      _ = try await client.auditRecords()
      _ = try await client.managers()
      _ = try await client.perform(.apply([]), dryRun: true)
    }
    #expect(looks.text == "answered")
    let apply = try await ask(service, server: pki.manager(), client: reader) {
      client throws(ManagementClientError) in
      _ = try await client.perform(.apply([]), dryRun: false)
    }
    #expect(apply.server.refusals("read-only") == 1)
    #expect(apply.contains("bob may look at everything and change nothing"))
    let change = try await ask(service, server: pki.manager(), client: reader) {
      client throws(ManagementClientError) in
      try await client.change(.add("m2"))
    }
    #expect(change.contains("read-only"))
    let recall = try await ask(service, server: pki.manager(), client: reader) {
      client throws(ManagementClientError) in
      _ = try await client.recall(.machine("web-1"))
    }
    #expect(recall.contains("read-only"))
    #expect(
      service.state.withLock { $0.changes.isEmpty && $0.recalls.isEmpty && $0.operations.count == $0.dryRuns }
    )
  }

  @Test func aNodeIsNoOperator() async throws {
    let pki = try TestPKI()
    let text = try await ask(
      server: pki.manager(), client: pki.issue(.node("h1", roles: [.host, .manager]), as: "h1"))
    #expect(text.contains("h1 is a node: use an operator's certificate"))
  }

  @Test func anotherAuthorityIsRefusedByBothSides() async throws {
    let (pki, other) = (try TestPKI(), try TestPKI())
    let text = try await ask(server: pki.manager(), client: other.administrator())
    #expect(text.contains("its certificate is refused"), "\(text)")
    #expect(text.contains("not signed by this data centre's authority"), "\(text)")
    // A client that trusts the server, with a certificate of an authority the server does not trust.
    guard case .tls(var files) = try other.administrator() else { return }
    files.authority = pki.files("ada").authority
    let refused = try await ask(server: pki.manager(), client: .tls(files)) {
      client throws(ManagementClientError) in
      _ = try await client.state()
    }
    #expect(refused.server.refusals("certificate-authority") == 1)
    #expect(refused.contains("it refuses the certificate in \(files.certificate)"), "\(refused)")
  }

  @Test func whatHasExpiredIsSaidSo() async throws {
    let pki = try TestPKI()
    let past = Date().addingTimeInterval(-30 * 86_400)
    let expired = try pki.issue(.operator("ada", .admin), as: "ada", days: 1, at: past)
    let own = try await ask(server: pki.manager(), client: expired)
    #expect(own.contains("ada.crt: the certificate of ada expired at"), "\(own)")
    let server = try pki.issue(.node("m1", roles: [.manager]), as: "m1", days: 1, at: past)
    let theirs = try await ask(server: server, client: pki.administrator())
    #expect(theirs.contains("its certificate is refused: the certificate of node m1 expired at"), "\(theirs)")
    let future = try pki.issue(.operator("ada", .admin), as: "ada", at: Date().addingTimeInterval(86_400))
    let early = try await ask(server: pki.manager(), client: future)
    #expect(early.contains("is not valid before"), "\(early)")
  }

  @Test func aServerThatIsNoManagerIsNotTrusted() async throws {
    let pki = try TestPKI()
    let text = try await ask(
      server: pki.issue(.node("h1", roles: [.host, .mux]), as: "h1"), client: pki.administrator())
    #expect(text.contains("the certificate of node h1 does not allow the role manager"), "\(text)")
  }

  @Test func plainTextAndTLSDoNotMeet() async throws {
    let pki = try TestPKI()
    let plain = try await ask(server: pki.manager(), client: .plaintext)
    #expect(plain.contains("it may want TLS"), "\(plain)")
    let secured = try await ask(server: .plaintext, client: pki.administrator())
    #expect(secured.contains("it speaks plain text, not TLS"), "\(secured)")
  }

  @Test func certificatesAreReplacedWithoutARestart() async throws {
    let pki = try TestPKI()
    let past = Date().addingTimeInterval(-30 * 86_400)
    let security = try pki.issue(.node("m1", roles: [.manager]), as: "m1", days: 1, at: past)
    let server = try await RunningServer.start(ScriptedManager(), security: security)
    let client = try server.client(security: pki.administrator(), timeout: .seconds(10))
    await #expect(throws: ManagementClientError.self) { try await client.state() }
    _ = try pki.manager("m1")
    _ = try await client.state()
    // Files of which one is broken change nothing.
    try Data("rubbish".utf8).write(to: URL(fileURLWithPath: pki.files("m1").key))
    _ = try await client.state()
    try await server.stop()
  }

  @Test func aWaitEndsWithItsCertificate() async throws {
    let pki = try TestPKI()
    let service = ScriptedManager {
      $0.progress = [WaitProgress(revision: Revision(3), acknowledged: [], pending: ["a"])]
      $0.isProgressEndless = true
    }
    let server = try await RunningServer.start(service, security: pki.manager())
    let beginning = Date().addingTimeInterval(2 - 86_400)
    let reader = try pki.issue(.operator("bob", .readOnly), as: "bob", days: 1, at: beginning)
    let error = await #expect(throws: ManagementClientError.self) {
      try await server.client(security: reader).wait(for: Revision(3), limit: .seconds(60)) { _ in }
    }
    #expect(try #require(error).description.contains("the certificate of bob expired at"))
    try await server.stop()
  }

  @Test func filesThatAreOfNoUseAreNamed() throws {
    let pki = try TestPKI()
    let missing = pki.files("nobody")
    let error = #expect(throws: ManagementServerError.self) {
      try ManagementServer(
        service: ScriptedManager(), listen: ManagerAddress(host: "127.0.0.1", port: 0),
        security: .tls(missing), logger: silent)
    }
    #expect(
      error?.description.contains("\(missing.certificate) cannot be read") == true,
      "\(String(describing: error))")
    guard case .tls(let ada) = try pki.administrator(), case .tls(let m1) = try pki.manager() else { return }
    let mixed = TLSIdentity(authority: ada.authority, certificate: ada.certificate, key: m1.key)
    let other = #expect(throws: OwnCertificateError.self) { try ClientSecurity(.tls(mixed)) }
    #expect(other?.reason == "\(m1.key) is not the key of the certificate in \(ada.certificate)")
  }
}

/// Streams of agents.
@Suite(.timeLimit(.minutes(2))) struct AgentTLSTests {
  /// What an agent with a certificate and a hello hears first: `connected`, or why it is refused.
  private func attach(
    _ security: TransportSecurity, _ hello: Hello, to server: RunningServer
  ) async throws -> String {
    try await ManagerConnection(address: server.address, security: security).with { client in
      do {
        return try await ProtoAgents.Client(wrapping: client).session(options: ManagerConnection.options()) {
          try await $0.write(Report.hello(hello).proto)
          try await Task.sleep(for: .seconds(60))
        } onResponse: { response in
          for try await _ in response.messages { return "connected" }
          return "ended"
        }
      } catch let error as RPCError {
        return error.message
      }
    }
  }

  private func hello(_ node: String, _ roles: [Role]) -> Hello {
    Hello(node: node, roles: roles, epoch: .none, revision: Revision(0))
  }

  @Test func onlyTheNodeItselfWithItsOwnRoles() async throws {
    let pki = try TestPKI()
    let service = ScriptedManager()
    let server = try await RunningServer.start(service, security: pki.manager())
    let host = try pki.issue(.node("h1", roles: [.host]), as: "h1")
    #expect(try await attach(host, hello("h1", [.host]), to: server) == "connected")
    let another = try await attach(host, hello("h2", [.host]), to: server)
    #expect(another == "the certificate is of the node h1, and the hello of h2")
    let roles = try await attach(host, hello("h1", [.host, .mux]), to: server)
    #expect(roles.contains("does not allow the role mux"))
    let person = try await attach(pki.administrator(), hello("ada", [.host]), to: server)
    #expect(person.contains("ada is an operator"))
    #expect(service.state.withLock { $0.hellos } == [hello("h1", [.host])])
    for label in ["another-node", "role", "operator-as-node"] { #expect(server.refusals(label) == 1) }
    try await server.stop()
  }

  @Test func aStreamEndsWithItsCertificate() async throws {
    let pki = try TestPKI()
    let service = ScriptedManager()
    let server = try await RunningServer.start(service, security: pki.manager())
    let end = Date().addingTimeInterval(2)
    let host = try pki.issue(
      .node("h1", roles: [.host]), as: "h1", days: 1, at: end.addingTimeInterval(-86_400))
    let security = host
    let link = ManagerLink(managers: [server.address], security: security, logger: silent) {
      Hello(node: "h1", roles: [.host], epoch: .none, revision: Revision(0))
    }
    let reasons = Mutex<[String]>([])
    let running = Task {
      await link.run { event in
        if case .disconnected(let reason) = event { reasons.withLock { $0.append(reason) } }
      }
    }
    #expect(try await eventually { reasons.withLock { !$0.isEmpty } })
    #expect(reasons.withLock { $0[0] }.contains("the certificate of node h1 expired at"))
    #expect(Date() >= end.addingTimeInterval(-1))
    running.cancel()
    await running.value
    try await server.stop()
  }
}
