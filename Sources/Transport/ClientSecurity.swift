import Control
import Foundation
import GRPCCore
import GRPCNIOTransportHTTP2
import NIOCore
import NIOSSL
import PKI
import Synchronization
import X509

/// How a client protects its connection, and what it has found out about the server.
final class ClientSecurity: Sendable {
  private struct State {
    var node: String?
    var refusal: String?
  }

  let transport: HTTP2ClientTransport.Posix.TransportSecurity
  private let state: SharedState

  /// A reference, so that the connection's callback has it too.
  private final class SharedState: Sendable { let value = Mutex(State()) }

  /// Reads the files, so that each new connection has the newest.
  ///
  /// - Throws: when the own certificate cannot be used; that it has expired is better said here than by the other
  ///   side's alert.
  init(_ security: TransportSecurity) throws(OwnCertificateError) {
    let state = SharedState()
    self.state = state
    guard case .tls(let files) = security else {
      transport = .plaintext
      return
    }
    let material: TLSMaterial
    do throws(PKIError) { material = try TLSMaterial(files) } catch {
      throw OwnCertificateError(reason: error.reason)
    }
    do throws(CertificateRefusal) { try CertificateCheck.checkDates(material.own, at: Date()) } catch {
      throw OwnCertificateError(reason: "\(files.certificate): \(error)")
    }
    let certificate = TLSConfig.CertificateSource.file(path: files.certificate, format: .pem)
    transport = .mTLS(
      certificateChain: [certificate], privateKey: .file(path: files.key, format: .pem)
    ) { config in
      config.trustRoots = .certificates([.file(path: files.authority, format: .pem)])
      config.serverCertificateVerification = .noHostnameVerification
      config.customVerificationCallback = { presented, promise in
        Task {
          do {
            let (node, chain) = try await Self.check(presented, authorities: material.authorities)
            state.value.withLock { $0.node = node }
            promise.succeed(.certificateVerified(VerificationMetadata(chain)))
          } catch {
            state.value.withLock { $0.refusal = "\(error)" }
            promise.succeed(.failed)
          }
        }
      }
    }
  }

  /// The node of the server's certificate; nil without TLS, or before the handshake.
  var node: String? { state.value.withLock { $0.node } }

  /// Why the server's certificate was not taken.
  var refusal: String? { state.value.withLock { $0.refusal } }

  /// By whom a server is, not by which name it was reached: whoever answers must be a manager.
  private static func check(
    _ presented: [NIOSSLCertificate], authorities: [Certificate]
  ) async throws -> (node: String, chain: NIOSSL.ValidatedCertificateChain) {
    let (identity, chain) = try await PeerChain.check(presented, authorities: authorities)
    guard case .node(let name, let roles) = identity, roles.contains(.manager) else {
      throw NotAManager(name: identity.name)
    }
    return (name, chain)
  }

  private struct NotAManager: Error, CustomStringConvertible {
    let name: String
    var description: String { "the certificate of \(name) does not allow the role manager" }
  }
}

/// Why no connection can be made with the own certificate.
struct OwnCertificateError: Error, Hashable, CustomStringConvertible {
  let reason: String
  var description: String { reason }
}

/// Why a manager cannot be reached, in words an operator can act on.
struct UnreachableManager: Error, Hashable, CustomStringConvertible {
  let reason: String
  /// One of the two does not take the other's certificate.
  let isRefusal: Bool
  /// A request was on its way when the connection was lost, and may have been carried out.
  let mayHaveActed: Bool
  var description: String { reason }

  /// Reads what gRPC, NIO and BoringSSL say.
  init(_ error: RPCError, _ security: TransportSecurity, _ client: ClientSecurity, isAsked: Bool) {
    let text = "\(error)"
    let words = Self.words(text, security)
    isRefusal = client.refusal != nil || words != nil
    mayHaveActed = isAsked && !isRefusal
    if let refusal = client.refusal {
      reason = "its certificate is refused: \(refusal)"
    } else if text.contains("errno: 111") {
      reason = "connection refused"
    } else if text.contains("errno: 113") {
      reason = "no route to host"
    } else if text.contains("onnect timed out") || text.contains("ConnectTimeout") {
      reason = "timed out"
    } else if text.contains("resolv") {
      reason = "unknown host name"
    } else if text.contains("Could not establish a connection"), words == nil {
      reason = "no answer within \(Limits.connect)"
    } else {
      reason = words ?? error.message
    }
  }

  private static func words(_ text: String, _ security: TransportSecurity) -> String? {
    switch security {
    case .plaintext:
      guard text.contains("HTTP/2 connection preface") else { return nil }
      return "it does not answer in plain text; it may want TLS, that is a certificate and its key"
    case .tls(let files):
      if text.contains("WRONG_VERSION_NUMBER") { return "it speaks plain text, not TLS" }
      guard text.contains("ALERT") || text.contains("CERTIFICATE") else { return nil }
      return "it refuses the certificate in \(files.certificate); its log says why"
    }
  }
}
