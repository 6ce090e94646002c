public import Control
import Crypto
public import Foundation
import SwiftASN1
import Wire
import X509

/// The certificate authority of one data centre: its P-256 key signs the certificates of nodes and operators.
public struct CertificateAuthority: Sendable {
  /// Whose certificate every node and operator trusts.
  public let credential: Credential

  private var certificate: Certificate { credential.chain[0] }

  /// Draws a key and signs its certificate with it.
  public static func make(
    name: String, days: Int = Limits.daysOfAuthority, at now: Date = Date()
  ) throws(PKIError) -> CertificateAuthority {
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let certificate: Certificate = try described {
      let subject = try DistinguishedName { CommonName(name) }
      let extensions = try Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
        Critical(KeyUsage(keyCertSign: true, cRLSign: true))
        SubjectKeyIdentifier(hash: key.publicKey)
      }
      return try Certificate(
        version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
        notValidBefore: now.addingTimeInterval(-Double(Limits.skewSeconds)),
        notValidAfter: end(days, now), issuer: subject, subject: subject,
        signatureAlgorithm: .ecdsaWithSHA256, extensions: extensions, issuerPrivateKey: key)
    }
    return CertificateAuthority(credential: Credential(chain: [certificate], key: key))
  }

  /// Reads what `credential.write` wrote.
  public init(certificate: String, key: String) throws(PKIError) {
    let credential = try Credential(certificate: certificate, key: key)
    let constraints = try? credential.chain[0].extensions.basicConstraints
    guard case .isCertificateAuthority? = constraints else {
      throw PKIError(.content, "\(certificate) is no certificate of an authority")
    }
    self.init(credential: credential)
  }

  private init(credential: Credential) { self.credential = credential }

  /// Draws a key for somebody, and signs a certificate that says whose it is.
  ///
  /// - Parameters:
  ///   - identity: whose; not `.anonymous`.
  ///   - names: addresses and host names under which a node is reached.
  ///   - days: for how long.
  ///   - now: from when on.
  /// - Returns: the certificate and its key.
  /// - Throws: for a name that no certificate can bear.
  public func issue(
    to identity: Identity, names: [String] = [], days: Int = Limits.days, at now: Date = Date()
  ) throws(PKIError) -> Credential {
    guard names.count <= Limits.names else {
      throw PKIError(.argument, "a certificate has at most \(Limits.names) addresses and host names")
    }
    var alternatives: [GeneralName] = [.uniformResourceIdentifier(try IdentityURI.text(identity))]
    for name in names { alternatives.append(try Self.alternative(name)) }
    let subjectNames = alternatives
    let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
    let (commonName, usages) =
      switch identity {
      case .node(let name, _): (name, [ExtendedKeyUsage.Usage.serverAuth, .clientAuth])
      case .operator, .anonymous: (identity.name, [ExtendedKeyUsage.Usage.clientAuth])
      }
    let issuer = certificate
    let certificate: Certificate = try Self.described {
      let authorityKey = try issuer.extensions.subjectKeyIdentifier?.keyIdentifier
      let extensions = try Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        Critical(KeyUsage(digitalSignature: true))
        try ExtendedKeyUsage(usages)
        SubjectAlternativeNames(subjectNames)
        SubjectKeyIdentifier(hash: key.publicKey)
        AuthorityKeyIdentifier(keyIdentifier: authorityKey)
      }
      return try Certificate(
        version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: key.publicKey,
        notValidBefore: now.addingTimeInterval(-Double(Limits.skewSeconds)),
        notValidAfter: min(Self.end(days, now), issuer.notValidAfter), issuer: issuer.subject,
        subject: try DistinguishedName { CommonName(commonName) }, signatureAlgorithm: .ecdsaWithSHA256,
        extensions: extensions, issuerPrivateKey: credential.key)
    }
    return Credential(chain: [certificate], key: key)
  }

  private static func alternative(_ name: String) throws(PKIError) -> GeneralName {
    if let address = IPv4Address(name) {
      let number = address.number
      let octets = stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
      return .ipAddress(ASN1OctetString(contentBytes: octets[...]))
    }
    let isName = name.utf8.allSatisfy {
      $0 == 45 || $0 == 46 || (48...57).contains($0) || (97...122).contains($0)
    }
    guard isName, (1...253).contains(name.utf8.count) else {
      throw PKIError(.argument, "\(name) is neither an IPv4 address nor a host name in lower case")
    }
    return .dnsName(name)
  }

  private static func end(_ days: Int, _ now: Date) -> Date { now.addingTimeInterval(Double(days) * 86_400) }

  private static func described<Value>(_ work: () throws -> Value) throws(PKIError) -> Value {
    do { return try work() } catch { throw PKIError(.content, "the certificate cannot be made: \(error)") }
  }
}
