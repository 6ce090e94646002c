/// The most, and the usual, of everything about certificates.
public enum Limits {
  /// Days that a certificate authority is valid: ten years; renewing it means renewing every certificate.
  public static let daysOfAuthority = 3650
  /// Days that a certificate is valid unless said otherwise: a year, so that one that got lost ends some day.
  public static let days = 365
  /// Days that may be asked for: a certificate does not outlive its authority by more than its whole life.
  public static let daysToChoose = 1...daysOfAuthority
  /// Seconds for which a new certificate is already valid: clocks of two nodes differ by that much at most.
  public static let skewSeconds = 300
  /// Octets of an operator's name: it is kept with each of 1,000 changes.
  public static let operatorNameLength = 63
  /// Characters of a stranger's name that go into a log: BoringSSL takes certificates of 100 KiB, and anybody may present
  /// one.
  public static let foreignNameLength = 128
  /// Octets of a PEM file: a chain of ten certificates is 8 KiB.
  public static let fileBytes = 64 << 10
  /// Certificates that a peer may present: authority, one between, its own; and as many again.
  public static let chain = 6
  /// Addresses and names of one certificate: a node has a few.
  public static let names = 16
}
