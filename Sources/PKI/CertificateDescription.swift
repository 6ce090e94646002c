import Control
public import Foundation
import SwiftASN1
import Wire
import X509

/// What there is to say of a certificate.
public struct CertificateDescription: Hashable, Sendable {
  /// Whose it is: `node mux1 (mux, manager)`, `operator ada (admin)`, or the authority's name.
  public var subject: String
  /// Who has signed it.
  public var issuer: String
  /// Addresses and host names.
  public var names: [String]
  /// In hexadecimal.
  public var serial: String
  /// From when on it is valid.
  public var begin: Date
  /// Until when.
  public var end: Date
  /// Why it is not valid now; nil: it is, as far as its dates go.
  public var problem: String?

  /// Describes all certificates of a PEM file.
  public static func read(_ path: String, at now: Date) throws(PKIError) -> [CertificateDescription] {
    try Credential.certificates(in: path).map { CertificateDescription($0, at: now) }
  }

  private init(_ certificate: Certificate, at now: Date) {
    subject =
      switch try? CertificateCheck.identity(of: certificate) {
      case .node(let name, let roles)?: "node \(name) (\(roles.map(\.rawValue).joined(separator: ", ")))"
      case .operator(let name, let role)?: "operator \(name) (\(role.rawValue))"
      case .anonymous?, nil: "\(certificate.subject)"
      }
    issuer = certificate.issuer == certificate.subject ? "itself" : "\(certificate.issuer)"
    let alternatives =
      (try? certificate.extensions.subjectAlternativeNames).flatMap { $0 }.map(Array.init) ?? []
    names = alternatives.compactMap { name in
      switch name {
      case .dnsName(let name): name
      case .ipAddress(let octets) where octets.bytes.count == 4:
        IPv4Address(number: octets.bytes.reduce(0) { $0 << 8 | UInt32($1) }).description
      default: nil
      }
    }
    serial = certificate.serialNumber.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    begin = certificate.notValidBefore
    end = certificate.notValidAfter
    do throws(CertificateRefusal) { try CertificateCheck.checkDates(certificate, at: now) } catch {
      problem = error.description
    }
  }

  /// As an operator reads it.
  public var text: String {
    var lines = [("Subject", subject), ("Issuer", issuer)]
    if !names.isEmpty { lines.append(("Names", names.joined(separator: ", "))) }
    lines += [
      ("Serial", serial), ("Valid from", CertificateCheck.text(begin)),
      ("Valid until", CertificateCheck.text(end)),
    ]
    if let problem { lines.append(("Problem", problem)) }
    return lines.map { name, value in
      "\(name):".padding(toLength: 13, withPad: " ", startingAt: 0) + value + "\n"
    }.joined()
  }
}
