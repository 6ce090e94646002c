import Control
import Foundation
import PKI
import Transport

/// A data centre's certificates in a directory of their own, which is gone with this value.
final class TestPKI: Sendable {
  let directory: String
  let authority: CertificateAuthority

  init() throws {
    directory = NSTemporaryDirectory() + "ananta-pki-\(UInt64.random(in: 0...(.max)))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    authority = try CertificateAuthority.make(name: "Test")
    try authority.credential.write(
      certificate: directory + "/ca.crt", key: directory + "/ca.key", replacing: false)
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// A certificate for somebody, under a name that may be written anew.
  func issue(
    _ identity: Identity, as name: String, days: Int = 1, at now: Date = Date()
  ) throws -> TransportSecurity {
    let files = files(name)
    try authority.issue(to: identity, names: ["127.0.0.1"], days: days, at: now)
      .write(certificate: files.certificate, key: files.key, replacing: true)
    return .tls(files)
  }

  func files(_ name: String) -> TLSIdentity {
    TLSIdentity(
      authority: directory + "/ca.crt", certificate: "\(directory)/\(name).crt",
      key: "\(directory)/\(name).key")
  }

  func manager(_ name: String = "m1") throws -> TransportSecurity {
    try issue(.node(name, roles: [.manager]), as: name)
  }

  func administrator() throws -> TransportSecurity { try issue(.operator("ada", .admin), as: "ada") }
}
