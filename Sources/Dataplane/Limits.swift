/// What the data plane's tables hold at most, and why.
public enum Limits {
  /// Endpoints of one VIP map: the paper's MUX holds 20,000 in 1 GB; the next power of two.
  @inline(always) public static var endpoints: Int { 32_768 }
  /// Backends of one endpoint: with 65,537 slots each still has 16, so weights are kept within about 6 %.
  @inline(always) public static var backends: Int { 4_096 }
  /// The largest weight of a backend; manifests allow 100, and a sum of 4,096 of them fits easily.
  @inline(always) public static var weight: Int { 65_535 }
  /// Slots of a look-up table by default: prime, and 100 per backend up to 655 backends, which keeps them
  /// within 1 % of each other (Maglev §5.3).
  @inline(always) public static var slotCount: Int { 65_537 }
  /// Counters of pairs of endpoint and backend: 20,000 endpoints with 6 backends each; 4 MB per worker.
  @inline(always) public static var counterRows: Int { 131_072 }
  /// SNAT ranges leased at once: 8 million ports, five times what the paper's MUX holds, in a table of 16 MB
  /// that is half empty then, so that there is room in every bucket.
  @inline(always) public static var snatRanges: Int { 1 << 20 }
  /// The ports below are services' (RFC 6335 §6) and never leased.
  @inline(always) public static var firstSNATPort: UInt16 { 1_024 }
  /// Connections recorded by one worker while slots move; 48 bytes each, 3 MB per worker.
  @inline(always) public static var flowRecords: Int { 65_536 }
  /// Of those, connections that have shown one packet: an eighth, so that a flood of SYNs in a moving slot
  /// leaves seven eighths to established connections.
  @inline(always) public static var untrustedRecords: Int { flowRecords / 8 }
  /// An untrusted record lives this long, milliseconds: the time of a few repeated SYNs (1, 3, 7 s).
  @inline(always) public static var untrustedMilliseconds: UInt32 { 10_000 }
  /// The record of a connection whose client has sent a FIN or a RST lives this long after each packet,
  /// milliseconds: Linux's TIME-WAIT, so that what is still sent to the server finds its way.
  @inline(always) public static var closingMilliseconds: UInt32 { 60_000 }
  /// The most by which MUXes of a pool may apply a revision apart, milliseconds, without harm to connections that
  /// move: one that acknowledges nothing for longer is late (docs/manager.md), and sends them where they went before.
  @inline(always) public static var skewMilliseconds: UInt32 { 10_000 }
  /// The longest idle time-out, milliseconds: a day; far from where differences of a 32-bit clock lose their
  /// sign.
  @inline(always) public static var idleTimeoutMilliseconds: UInt32 { 86_400_000 }
  /// Buckets of the flow table looked at per sweep: all 16,384 within 256 batches, so that with a batch every
  /// 10 ms none is older than 3 s when it is found expired.
  @inline(always) public static var bucketsPerSweep: Int { 64 }
  /// Segments joined into one super-packet: a worker's batch has 64 packets, so no more are at hand.
  @inline(always) public static var coalescedSegments: Int { 64 }
  /// Bytes of such a super-packet: what the length field of an IPv4 header can say.
  @inline(always) public static var coalescedBytes: Int { 65_535 }
}
