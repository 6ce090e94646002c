/// Where a node's or an operator's certificate is: three PEM files.
public struct TLSIdentity: Hashable, Sendable {
  /// The certificates of the authorities that are trusted.
  public var authority: String
  /// The own certificate, and what leads from it to an authority.
  public var certificate: String
  /// The own certificate's key.
  public var key: String

  /// Names the files.
  public init(authority: String, certificate: String, key: String) {
    self.authority = authority
    self.certificate = certificate
    self.key = key
  }
}

/// How a connection is protected; always said, never a default.
public enum TransportSecurity: Hashable, Sendable {
  /// Not at all; for networks that nobody else can reach.
  case plaintext
  /// By TLS, with certificates on both sides.
  case tls(TLSIdentity)
}
