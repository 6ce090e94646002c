internal import Manifest
internal import Transport

extension TransportSecurity {
  /// What the agent's file says.
  init(_ security: AgentConfiguration.Security) {
    switch security {
    case .plaintext: self = .plaintext
    case .tls(let authority, let certificate, let key):
      self = .tls(TLSIdentity(authority: authority, certificate: certificate, key: key))
    }
  }
}
