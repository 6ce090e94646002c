/// What a multiplexer does at most, and why.
public enum Limits {
  /// The smallest MTU that every IPv4 host must be able to take whole (RFC 791 §3.2).
  @inline(always) public static var smallestMTU: Int { 576 }
  /// The most that an IPv4 length field can say.
  @inline(always) public static var largestMTU: Int { 65_535 }
  /// ICMP errors per second: Linux's own default (icmp_msgs_per_sec); each client needs one per connection.
  @inline(always) public static var errorsPerSecond: UInt32 { 1_000 }
  /// ICMP errors at once: Linux's own default (icmp_msgs_burst).
  @inline(always) public static var errorBurst: UInt32 { 50 }
}
