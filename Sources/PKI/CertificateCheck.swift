public import Control
public import Foundation
public import X509

/// Why somebody's certificate is not taken.
public enum CertificateRefusal: Error, Hashable, Sendable {
  /// It has ended; issue another.
  case expired(String, at: Date)
  /// It is not valid yet; look at the clocks.
  case early(String, from: Date)
  /// Another authority has signed it, or nobody has.
  case authority(String, issuer: String)
  /// It does not say whose it is.
  case nobody(String)
  /// None was presented, or more than a chain has.
  case absent
}

extension CertificateRefusal: CustomStringConvertible {
  /// One sentence that says what and what to do.
  public var description: String {
    switch self {
    case .expired(let subject, let date):
      "the certificate of \(subject) expired at \(CertificateCheck.text(date)); issue another"
    case .early(let subject, let date):
      "the certificate of \(subject) is not valid before \(CertificateCheck.text(date)); look at the clocks"
    case .authority(let subject, let issuer):
      "the certificate of \(subject) is not signed by this data centre's authority but by \(issuer)"
    case .nobody(let subject):
      "the certificate of \(subject) names no node and no operator of Ananta"
    case .absent: "no certificate, or too many"
    }
  }

  /// A word for counters.
  public var label: String {
    switch self {
    case .expired: "certificate-expired"
    case .early: "certificate-not-yet-valid"
    case .authority: "certificate-authority"
    case .nobody: "certificate-identity"
    case .absent: "certificate-absent"
    }
  }
}

/// Whether a certificate is to be believed, and whose it is.
public enum CertificateCheck {
  /// Checks a chain that a peer has presented, its own certificate first.
  ///
  /// RFC 5280, section 6: signatures up to one of the authorities, validity now, constraints. Expiry is looked
  /// at first, since the peer's operator can do something about it.
  ///
  /// - Returns: whose certificate it is, and the chain up to the authority.
  public static func check(
    _ chain: [Certificate], authorities: [Certificate]
  ) async throws(CertificateRefusal) -> (identity: Identity, chain: [Certificate]) {
    guard let own = chain.first, chain.count <= Limits.chain else { throw .absent }
    try checkDates(own, at: Date())
    var verifier = Verifier(rootCertificates: CertificateStore(authorities)) { RFC5280Policy() }
    let result = await verifier.validate(
      leaf: own, intermediates: CertificateStore(Array(chain.dropFirst())))
    guard case .validCertificate(let valid) = result else {
      throw .authority(subject(own), issuer: words(own.issuer))
    }
    return (try identity(of: own), Array(valid))
  }

  /// Whether a certificate is valid at a time, by its dates alone.
  public static func checkDates(_ certificate: Certificate, at now: Date) throws(CertificateRefusal) {
    guard now <= certificate.notValidAfter else {
      throw .expired(subject(certificate), at: certificate.notValidAfter)
    }
    guard now >= certificate.notValidBefore else {
      throw .early(subject(certificate), from: certificate.notValidBefore)
    }
  }

  /// Whose certificate it is, as it says itself: one URI of ours, not two.
  public static func identity(of certificate: Certificate) throws(CertificateRefusal) -> Identity {
    guard let identity = named(by: certificate) else { throw .nobody(words(certificate.subject)) }
    return identity
  }

  /// Whose certificate it is, in words.
  public static func subject(_ certificate: Certificate) -> String {
    named(by: certificate)?.name ?? words(certificate.subject)
  }

  /// A name as it may stand in a log: strangers write what they like into theirs, and it is read before anybody knows
  /// who they are.
  private static func words(_ name: DistinguishedName) -> String {
    let text = "\(name)".unicodeScalars
    var words = String.UnicodeScalarView()
    for scalar in text.prefix(Limits.foreignNameLength) {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: words.append("?")
      default: words.append(scalar)
      }
    }
    return String(words) + (text.count > Limits.foreignNameLength ? "..." : "")
  }

  private static func named(by certificate: Certificate) -> Identity? {
    let names = (try? certificate.extensions.subjectAlternativeNames).flatMap { $0 }.map(Array.init) ?? []
    let identities = names.compactMap { name -> Identity? in
      guard case .uniformResourceIdentifier(let text) = name else { return nil }
      return IdentityURI.identity(text)
    }
    return identities.count == 1 ? identities.first : nil
  }

  /// A date as people and programs can read it: `2026-11-28T04:16:19Z`.
  public static func text(_ date: Date) -> String { date.formatted(.iso8601) }
}
