/// Every maximum of the BGP module, with its reason.
public enum Limits {
  /// The fixed header: marker 16, length 2, type 1 (RFC 4271 §4.1).
  public static let headerLength = 19
  /// The largest message without RFC 8654, which is not spoken here (RFC 4271 §4.1).
  public static let maximumMessageLength = 4096
  /// One VIP is one prefix; 20,000 endpoints are the published size of a MUX, 65,536 leave room for three times that.
  ///
  /// A full table is then 330 KB on the wire and 512 KB in memory.
  public static let maximumPrefixes = 65_536
  /// Octets of the shutdown text that are sent: RFC 8203 readers take 128, RFC 9003 readers 255.
  public static let sentShutdownTextLength = 128
  /// The largest OPEN Hold Timer before negotiation: "a large value", 4 minutes suggested (RFC 4271 §8.2.2).
  public static let openHoldTimeSeconds = 240
  /// The smallest hold time other than none (RFC 4271 §4.2).
  public static let minimumHoldTimeSeconds = 3
  /// Doublings of the wait in Idle after protocol errors: 5 s grow to 80 s (RFC 4271 §8.1.1, DampPeerOscillations).
  public static let maximumIdleDoublings = 4
  /// Characters kept of what went wrong; long enough for a sentence and a shutdown text.
  public static let maximumErrorTextLength = 512
}
