import Control
import PKI
import Testing

@Suite struct IdentityURITests {
  @Test(arguments: [
    (Identity.node("mux1", roles: [.mux]), "ananta:node:mux1?roles=mux"),
    (.node("m-1", roles: [.manager, .host, .mux]), "ananta:node:m-1?roles=host+mux+manager"),
    (.operator("ada@example.org", .admin), "ananta:operator:ada@example.org?role=admin"),
    (.operator("Bob", .readOnly), "ananta:operator:Bob?role=read-only"),
  ])
  func identitiesAreWrittenAndRead(identity: Identity, text: String) throws {
    #expect(try IdentityURI.text(identity) == text)
    let read = try #require(IdentityURI.identity(text))
    #expect(try IdentityURI.text(read) == text)
    #expect(read.name == identity.name)
  }

  @Test(arguments: [
    Identity.anonymous, .node("", roles: [.mux]), .node("a", roles: []), .node("A", roles: [.mux]),
    .node("a?b", roles: [.mux]), .node("-a", roles: [.mux]),
    .node(String(repeating: "a", count: 64), roles: [.mux]), .operator("", .admin),
    .operator("a b", .admin), .operator("a:b", .admin), .operator("a?role=admin", .admin),
    .operator("größe", .admin),
  ])
  func whatCannotBeInAURIIsRefused(identity: Identity) {
    #expect(throws: PKIError.self) { try IdentityURI.text(identity) }
  }

  @Test(arguments: [
    "", "ananta:", "ananta:node:a", "ananta:node:a?", "ananta:node:a?roles=", "ananta:node:a?roles=mux+",
    "ananta:node:a?roles=mux+mux", "ananta:node:a?roles=boss", "ananta:node:a?role=admin",
    "ananta:node:A?roles=mux", "ananta:node:a:b?roles=mux", "ananta:node:?roles=mux",
    "ananta:operator:a?role=admin?", "ananta:operator:a?role=admin=", "ananta:operator:a?role=Admin",
    "ananta:operator:a?roles=mux", "ananta:operator:?role=admin", "ananta:thing:a?role=admin",
    "ANANTA:operator:a?role=admin", "ananta:operator:a?role=admin ", "ananta:operator:a%20b?role=admin",
    "spiffe://example.org/ananta:operator:a?role=admin", "ananta:node:a?roles=mux&roles=manager",
  ])
  func otherURIsAreNobody(text: String) { #expect(IdentityURI.identity(text) == nil) }
}
