/// Why certificates or keys cannot be made or used.
public struct PKIError: Error, Hashable, Sendable {
  /// What kind of trouble it is.
  public enum Code: Hashable, Sendable {
    /// A file cannot be read or written.
    case file
    /// A file is there already and would be lost.
    case exists
    /// What is in a file is no certificate, no key, or neither's other half.
    case content
    /// A name, an address or a duration that cannot be in a certificate.
    case argument
  }
  /// What kind of trouble it is.
  public var code: Code
  /// One sentence that says what and what to do.
  public var reason: String

  /// Describes the trouble.
  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }
}

extension PKIError: CustomStringConvertible {
  /// The sentence.
  public var description: String { reason }
}
