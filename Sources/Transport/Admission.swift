import Control
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import PKI
import X509

/// Who is at the other end of a call.
struct Caller: Sendable {
  let identity: Identity
  /// Where the call comes from.
  let peer: String
  /// When its certificate ends; nil without one.
  let expiry: Date?

  /// Returns with an error when the certificate has ended: no stream lives longer than what it was let in with.
  func untilExpiry() async throws {
    guard let expiry else { return try await Task.sleep(for: .seconds(Int64.max / 4)) }
    let own = identity.name
    try await Task.sleep(for: .seconds(max(0, expiry.timeIntervalSinceNow)))
    throw RPCFailure.rpcError(
      ManagementError.forbidden(reason: CertificateRefusal.expired(own, at: expiry).description))
  }
}

/// Lets calls in, or refuses, counts and logs them.
struct Admission: Sendable {
  let security: TransportSecurity
  let refusals: Refusals

  /// Who calls; refused unless the certificate was checked on this very connection and is valid still.
  func caller(_ context: ServerContext) throws(ManagementError) -> Caller {
    guard case .tls = security else {
      return Caller(identity: .anonymous, peer: context.remotePeer, expiry: nil)
    }
    let transport = context.transportSpecific as? HTTP2ServerTransport.Posix.Context
    do throws(CertificateRefusal) {
      guard let certificate = transport?.peerCertificateChain?.leaf else { throw .absent }
      try CertificateCheck.checkDates(certificate, at: Date())
      return Caller(
        identity: try CertificateCheck.identity(of: certificate), peer: context.remotePeer,
        expiry: certificate.notValidAfter)
    } catch {
      refusals.add(error.label, peer: context.remotePeer, error.description)
      throw .forbidden(reason: error.description)
    }
  }

  /// Lets a call in.
  func admit(_ call: Authorization.Call, by caller: Caller) throws(ManagementError) {
    guard let refusal = Authorization.refusal(of: call, by: caller.identity) else { return }
    refusals.add(refusal.label, peer: caller.peer, refusal.reason)
    throw .forbidden(reason: refusal.reason)
  }

  /// Lets a call in that needs no more than itself to judge.
  @discardableResult func admit(
    _ call: Authorization.Call, _ context: ServerContext
  ) throws(ManagementError) -> Caller {
    let caller = try caller(context)
    try admit(call, by: caller)
    return caller
  }
}
