import Control
import Testing

@testable import Transport

@Suite struct AuthorizationTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let identity: Identity
    let call: Authorization.Call
    let label: String?

    init(_ identity: Identity, _ call: Authorization.Call, _ label: String?) {
      self.identity = identity
      self.call = call
      self.label = label
    }

    var testDescription: String { "\(identity) \(call): \(label ?? "may")" }
  }

  private static let admin = Identity.operator("ada", .admin)
  private static let reader = Identity.operator("bob", .readOnly)
  private static let manager = Identity.node("m1", roles: [.manager, .mux])
  private static let host = Identity.node("h1", roles: [.host])

  private static func session(_ node: String, _ roles: [Role]) -> Authorization.Call {
    .session(Hello(node: node, roles: roles, epoch: .none, revision: Revision(0)))
  }

  @Test(arguments: [
    Row(.anonymous, .look, nil), Row(.anonymous, .change, nil),
    Row(.anonymous, session("h1", [.host]), nil), Row(.anonymous, .link(node: "m1"), nil),
    Row(admin, .look, nil), Row(admin, .change, nil),
    Row(admin, session("ada", [.host]), "operator-as-node"),
    Row(admin, .link(node: "ada"), "operator-as-node"),
    Row(reader, .look, nil), Row(reader, .change, "read-only"),
    Row(reader, session("bob", [.host]), "operator-as-node"),
    Row(reader, .link(node: "bob"), "operator-as-node"),
    Row(manager, .look, "node-as-operator"), Row(manager, .change, "node-as-operator"),
    Row(manager, session("m1", [.manager, .mux]), nil), Row(manager, session("m1", [.mux]), nil),
    Row(manager, session("m1", [.host]), "role"), Row(manager, session("h1", [.mux]), "another-node"),
    Row(manager, .link(node: "m1"), nil), Row(manager, .link(node: "m2"), "another-node"),
    Row(host, .look, "node-as-operator"), Row(host, .change, "node-as-operator"),
    Row(host, session("h1", [.host]), nil), Row(host, session("h1", [.host, .manager]), "role"),
    Row(host, .link(node: "h1"), "not-a-manager"), Row(host, .link(node: "m1"), "not-a-manager"),
  ])
  func whoMayWhat(row: Row) {
    #expect(Authorization.refusal(of: row.call, by: row.identity)?.label == row.label)
  }
}
