import Control
import GRPCCore
import GRPCNIOTransportHTTP2
import NIOCore
import NIOSSL
import PKI
import SwiftASN1
import X509

/// How a server protects its connections.
enum ServerSecurity {
  /// What each connection is limited by as soon as it is accepted.
  static func limits(
    _ security: TransportSecurity, _ refusals: Refusals
  ) -> @Sendable (any Channel) -> EventLoopFuture<Void> {
    guard case .tls = security else { return TCPLimits.limitSilence }
    return { channel in
      TCPLimits.limitHandshake(channel) { peer in
        let seconds = Limits.handshake.components.seconds
        refusals.add("handshake", peer: peer, "it showed no certificate within \(seconds) seconds")
      }
    }
  }

  /// What gRPC is to do.
  ///
  /// Each client must have a certificate of the data centre's authority; one that has not is refused before
  /// it has said anything, and `refusals` hears why.
  static func make(
    _ security: TransportSecurity, refusals: Refusals
  ) throws(PKIError) -> HTTP2ServerTransport.Posix.TransportSecurity {
    guard case .tls(let identity) = security else { return .plaintext }
    let files = try TLSFiles(identity) { refusals.warn("the certificates of this server: \($0)") }
    do {
      return try .mTLS(certificateReloader: files) { config in
        config.trustRoots = .certificates([.file(path: identity.authority, format: .pem)])
        config.requireALPN = true
        config.customVerificationCallback = { presented, promise in
          let authorities = files.material.authorities
          Task {
            do throws(CertificateRefusal) {
              let (_, chain) = try await PeerChain.check(presented, authorities: authorities)
              promise.succeed(.certificateVerified(VerificationMetadata(chain)))
            } catch {
              refusals.add(error.label, peer: "", error.description)
              promise.succeed(.failed)
            }
          }
        }
      }
    } catch {
      throw PKIError(.content, "\(identity.certificate) is of no use for TLS: \(error)")
    }
  }
}

/// A chain of certificates as a TLS connection gives it.
enum PeerChain {
  static func check(
    _ presented: [NIOSSLCertificate], authorities: [Certificate]
  ) async throws(CertificateRefusal) -> (identity: Identity, chain: NIOSSL.ValidatedCertificateChain) {
    guard presented.count <= PKI.Limits.chain else { throw .absent }
    let parsed = presented.compactMap { try? Certificate(derEncoded: $0.toDERBytes()) }
    guard parsed.count == presented.count else { throw .absent }
    let (identity, valid) = try await CertificateCheck.check(parsed, authorities: authorities)
    let chain = valid.compactMap { certificate -> NIOSSLCertificate? in
      guard let pem = try? Credential.pem([certificate]) else { return nil }
      return try? NIOSSLCertificate(bytes: [UInt8](pem.utf8), format: .pem)
    }
    guard chain.count == valid.count, !chain.isEmpty else { throw .absent }
    return (identity, NIOSSL.ValidatedCertificateChain(chain))
  }
}
