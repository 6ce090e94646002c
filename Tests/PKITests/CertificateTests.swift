import Control
import Foundation
import PKI
import Testing
import X509

@Suite struct CertificateTests {
  private let mux = Identity.node("mux1", roles: [.mux])

  private func refusal(_ chain: [Certificate], _ authority: CertificateAuthority) async -> String? {
    do throws(CertificateRefusal) {
      _ = try await CertificateCheck.check(chain, authorities: authority.credential.chain)
      return nil
    } catch {
      return error.label
    }
  }

  @Test func whatTheAuthoritySignedIsBelieved() async throws {
    let authority = try CertificateAuthority.make(name: "Test")
    for identity in [mux, .operator("ada", .readOnly)] {
      let credential = try authority.issue(to: identity, names: ["10.1.1.2", "mux1.example.org"])
      let (seen, chain) = try await CertificateCheck.check(
        credential.chain, authorities: authority.credential.chain)
      #expect(seen == identity)
      #expect(chain == credential.chain + authority.credential.chain)
    }
  }

  @Test func serialsAndKeysAreNeverTheSame() throws {
    let authority = try CertificateAuthority.make(name: "Test")
    let certificates = try (0..<20).map { _ in try authority.issue(to: mux).chain[0] }
    #expect(Set(certificates.map(\.serialNumber)).count == 20)
    #expect(Set(certificates.map(\.publicKey)).count == 20)
    #expect(certificates.allSatisfy { $0.serialNumber.bytes.count >= 8 })
  }

  @Test func everythingElseIsRefused() async throws {
    let authority = try CertificateAuthority.make(name: "Test")
    let other = try CertificateAuthority.make(name: "Test")
    let month = Date().addingTimeInterval(-30 * 86_400)
    #expect(await refusal([], authority) == "certificate-absent")
    #expect(await refusal(try other.issue(to: mux).chain, authority) == "certificate-authority")
    #expect(
      await refusal(try authority.issue(to: mux, days: 1, at: month).chain, authority)
        == "certificate-expired")
    let tomorrow = Date().addingTimeInterval(86_400)
    #expect(
      await refusal(try authority.issue(to: mux, at: tomorrow).chain, authority)
        == "certificate-not-yet-valid")
    #expect(await refusal(authority.credential.chain, authority) == "certificate-identity")
    let one = try authority.issue(to: mux).chain
    #expect(
      await refusal(Array(repeating: one[0], count: PKI.Limits.chain + 1), authority) == "certificate-absent")
  }

  /// A node's certificate signs for nobody, though its key could.
  @Test func aNodeIsNoAuthority() async throws {
    let authority = try CertificateAuthority.make(name: "Test")
    let node = try authority.issue(to: mux)
    let directory = try Directory()
    try node.write(certificate: directory.file("n.crt"), key: directory.file("n.key"), replacing: false)
    #expect(throws: PKIError.self) {
      try CertificateAuthority(certificate: directory.file("n.crt"), key: directory.file("n.key"))
    }
  }

  /// Nor for a peer that presents the node's certificate as the one between.
  @Test func whatANodeHasSignedIsRefused() async throws {
    let authority = try CertificateAuthority.make(name: "Test")
    let node = try authority.issue(to: mux)
    let eve = GeneralName.uniformResourceIdentifier("ananta:operator:eve?role=admin")
    let forged = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: node.chain[0].publicKey,
      notValidBefore: Date().addingTimeInterval(-60), notValidAfter: Date().addingTimeInterval(3600),
      issuer: node.chain[0].subject, subject: DistinguishedName { CommonName("eve") },
      signatureAlgorithm: .ecdsaWithSHA256,
      extensions: Certificate.Extensions { SubjectAlternativeNames([eve]) }, issuerPrivateKey: node.key)
    #expect(await refusal([forged, node.chain[0]], authority) == "certificate-authority")
    #expect(await refusal([forged] + node.chain + authority.credential.chain, authority) != nil)
  }

  /// Whoever is refused is logged, and has written into the certificate what he liked.
  @Test func strangersFillNoLog() async throws {
    let authority = try CertificateAuthority.make(name: "Test")
    let name = String(repeating: "root\n", count: 5_000)
    let stranger = try CertificateAuthority.make(name: name)
    for chain in [stranger.credential.chain, try stranger.issue(to: mux).chain] {
      let error = await #expect(throws: CertificateRefusal.self) {
        _ = try await CertificateCheck.check(chain, authorities: authority.credential.chain)
      }
      let text = try #require(error).description
      #expect(text.utf8.count < 500)
      #expect(!text.contains("\n"))
    }
  }

  @Test func noCertificateOutlivesItsAuthority() throws {
    let authority = try CertificateAuthority.make(name: "Test", days: 10)
    let certificate = try authority.issue(to: mux, days: 365).chain[0]
    #expect(certificate.notValidAfter == authority.credential.chain[0].notValidAfter)
  }

  @Test(arguments: ["", "a b", "host_1", "Größe", "10.1.1.2.3.example:1", String(repeating: "a", count: 254)])
  func namesThatAreNone(name: String) throws {
    let authority = try CertificateAuthority.make(name: "Test")
    #expect(throws: PKIError.self) { try authority.issue(to: mux, names: [name]) }
  }
}

@Suite struct CertificateFileTests {
  private func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.posixPermissions] as? Int) ?? 0
  }

  @Test func keysAreTheOwnersAndNothingIsLost() throws {
    let directory = try Directory()
    let (certificate, key) = (directory.file("a.crt"), directory.file("a.key"))
    let authority = try CertificateAuthority.make(name: "Test")
    try authority.credential.write(certificate: certificate, key: key, replacing: false)
    #expect(try mode(key) == 0o600)
    #expect(try mode(certificate) == 0o644)
    #expect(
      try CertificateAuthority(certificate: certificate, key: key).credential.chain
        == authority.credential.chain)
    let other = try CertificateAuthority.make(name: "Other")
    let error = #expect(throws: PKIError.self) {
      try other.credential.write(certificate: certificate, key: key, replacing: false)
    }
    #expect(error?.code == .exists)
    try FileManager.default.removeItem(atPath: certificate)
    #expect(throws: PKIError.self) {
      try other.credential.write(certificate: certificate, key: key, replacing: false)
    }
    #expect(!FileManager.default.fileExists(atPath: certificate))
    try other.credential.write(certificate: certificate, key: key, replacing: true)
    #expect(
      try CertificateAuthority(certificate: certificate, key: key).credential.chain == other.credential.chain)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted() == ["a.crt", "a.key"])
  }

  @Test func filesThatAreNoneAreSaidSo() throws {
    let directory = try Directory()
    let authority = try CertificateAuthority.make(name: "Test")
    try authority.credential.write(
      certificate: directory.file("a.crt"), key: directory.file("a.key"), replacing: false)
    for (text, code) in [
      ("", PKIError.Code.content), ("rubbish", .content), (String(repeating: "a", count: 100_000), .content),
    ] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: directory.file("b.crt")))
      let error = #expect(throws: PKIError.self) { try Credential.certificates(in: directory.file("b.crt")) }
      #expect(error?.code == code)
      #expect(error?.reason.contains("b.crt") == true)
    }
    let missing = #expect(throws: PKIError.self) { try Credential.certificates(in: directory.file("c.crt")) }
    #expect(missing?.code == .file)
  }

  @Test func whatIsShown() throws {
    let directory = try Directory()
    let authority = try CertificateAuthority.make(name: "Lab")
    let past = Date().addingTimeInterval(-30 * 86_400)
    try authority.issue(
      to: .node("mux1", roles: [.manager, .mux]), names: ["10.1.1.2", "mux1.lab"], days: 1, at: past
    )
    .write(certificate: directory.file("m.crt"), key: directory.file("m.key"), replacing: false)
    let shown = try CertificateDescription.read(directory.file("m.crt"), at: Date())
    #expect(shown.count == 1)
    #expect(shown[0].subject == "node mux1 (mux, manager)")
    #expect(shown[0].issuer == "CN=Lab")
    #expect(shown[0].names == ["10.1.1.2", "mux1.lab"])
    #expect(shown[0].problem?.contains("expired at") == true)
    #expect(shown[0].text.contains("Valid until: "))
  }
}

/// A directory that is gone with this value.
final class Directory {
  let path = NSTemporaryDirectory() + "ananta-pki-\(UInt64.random(in: 0...(.max)))"

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }
}
