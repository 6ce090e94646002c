import Foundation
import SwiftASN1
public import X509

/// A certificate with what leads from it to its authority, and its key.
public struct Credential: Sendable {
  /// The own certificate first.
  public let chain: [Certificate]
  /// The own certificate's.
  public let key: Certificate.PrivateKey

  /// Joins the two, which must belong together.
  init(chain: [Certificate], key: Certificate.PrivateKey) {
    self.chain = chain
    self.key = key
  }

  /// Reads two PEM files.
  ///
  /// - Throws: when they cannot be read or do not belong together.
  public init(certificate: String, key: String) throws(PKIError) {
    let chain = try Self.certificates(in: certificate)
    let text = try PEMFile.read(key)
    let privateKey: Certificate.PrivateKey
    do { privateKey = try Certificate.PrivateKey(pemEncoded: text) } catch {
      throw PKIError(.content, "\(key) holds no private key")
    }
    guard let own = chain.first, own.publicKey == privateKey.publicKey else {
      throw PKIError(.content, "\(key) is not the key of the certificate in \(certificate)")
    }
    self.init(chain: chain, key: privateKey)
  }

  /// Writes two PEM files, the key first, so that a certificate that is there has its key.
  public func write(certificate: String, key: String, replacing: Bool) throws(PKIError) {
    if !replacing, FileManager.default.fileExists(atPath: certificate) {
      throw PKIError(
        .exists, "\(certificate) is there already; move it away, or say --force to replace it")
    }
    try PEMFile.write(Self.pem(self.key), to: key, for: .owner, replacing: replacing)
    try PEMFile.write(Self.pem(chain), to: certificate, for: .everybody, replacing: replacing)
  }

  /// All certificates of a PEM file, at least one.
  public static func certificates(in path: String) throws(PKIError) -> [Certificate] {
    let text = try PEMFile.read(path)
    let certificates: [Certificate]
    do {
      certificates = try PEMDocument.parseMultiple(pemString: text)
        .filter { $0.discriminator == Certificate.defaultPEMDiscriminator }
        .map { try Certificate(pemDocument: $0) }
    } catch {
      throw PKIError(.content, "\(path) holds something that is no certificate: \(error)")
    }
    guard !certificates.isEmpty else { throw PKIError(.content, "\(path) holds no certificate") }
    return certificates
  }

  /// The chain as it stands in a file.
  public static func pem(_ chain: [Certificate]) throws(PKIError) -> String {
    do {
      return try chain.map { try $0.serializeAsPEM().pemString + "\n" }.joined()
    } catch {
      throw PKIError(.content, "a certificate cannot be written: \(error)")
    }
  }

  /// The key as it stands in a file.
  public static func pem(_ key: Certificate.PrivateKey) throws(PKIError) -> String {
    do { return try key.serializeAsPEM().pemString + "\n" } catch {
      throw PKIError(.content, "a key cannot be written: \(error)")
    }
  }
}
