import ArgumentParser
import Foundation
import Transport

/// Finds the files by which an operator proves who it is.
struct CredentialSearch {
  var authority: String?
  var certificate: String?
  var key: String?
  var isPlaintext: Bool
  /// Where all three are looked for, one directory after the other.
  var directories = [NSHomeDirectory() + "/.ananta", "/etc/ananta/pki"]

  /// What was said, or what there is; plain text only if that was said.
  func result() throws -> TransportSecurity {
    let named = [authority, certificate, key].compactMap(\.self)
    if isPlaintext, named.isEmpty || certificate == nil { return .plaintext }
    if let authority, let certificate, let key {
      guard !isPlaintext else {
        throw ValidationError("say either --plaintext or --certificate, not both")
      }
      return .tls(TLSIdentity(authority: authority, certificate: certificate, key: key))
    }
    guard named.isEmpty else {
      throw ValidationError("--ca, --certificate and --key belong together; give all three")
    }
    for directory in directories {
      let files = TLSIdentity(
        authority: directory + "/ca.crt", certificate: directory + "/operator.crt",
        key: directory + "/operator.key")
      let isThere = [files.authority, files.certificate, files.key].allSatisfy {
        FileManager.default.fileExists(atPath: $0)
      }
      if isThere { return .tls(files) }
    }
    throw ValidationError(
      "there is no certificate: give --ca, --certificate and --key, or put ca.crt, operator.crt and operator.key "
        + "into \(directories.joined(separator: " or ")), or say --plaintext")
  }
}
