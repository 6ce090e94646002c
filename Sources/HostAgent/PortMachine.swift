import Dataplane

/// What a worker knows of the ports of one VM.
struct PortMachine: BitwiseCopyable {
  @inline(always) static var noRequest: UInt8 { 0 }
  /// Waits for the worker to take it.
  @inline(always) static var queued: UInt8 { 1 }
  /// Under way to the manager.
  @inline(always) static var sent: UInt8 { 2 }

  /// Ranges that new flows may take.
  var usable: UInt32 = 0
  /// Ranges in all.
  var ranges: UInt32 = 0
  /// Records of the flow table, mappings among them.
  var flows: UInt32 = 0
  /// Counts ranges that came; what is known of full pages is true for one number only.
  var generation: UInt32 = 0
  /// Pages with usable ranges.
  var pages = InlineArray<4, UInt64>(repeating: 0)
  var request: UInt8 = 0
  /// Whether it is in the ring of those that ask, where it is once at most.
  var isInRing = false
  var isRefused = false
  /// Why packets are dropped until then.
  var reason = DropReason.portsExhausted
  var refusedUntil: UInt32 = 0
  /// When the first packet made the request.
  var askedAt: UInt32 = 0
  /// When it was last made.
  var sentAt: UInt32 = 0
  /// Its held packets, the first and the last slot, counted from 1.
  var firstHeld: UInt16 = 0
  var lastHeld: UInt16 = 0
  var held: UInt16 = 0

  init() {}
}

/// How long requests took: exact below 8 ms, then four buckets for each doubling.
///
/// The last bucket has all from 1,792 ms on, and says 2,048 ms: that or longer.
enum WaitHistogram {
  static var buckets: Int { 40 }

  @inline(always) static func bucket(_ milliseconds: UInt32) -> Int {
    guard milliseconds >= 8 else { return Int(milliseconds) }
    let exponent = 31 &- milliseconds.leadingZeroBitCount
    let quarter = Int(milliseconds &>> UInt32(truncatingIfNeeded: exponent &- 2)) & 3
    return min(8 &+ (exponent &- 3) &* 4 &+ quarter, buckets &- 1)
  }

  /// What all of a bucket took less than, in milliseconds; the last one has no end, and says 2,048.
  static func end(_ bucket: Int) -> UInt64 {
    guard bucket >= 8 else { return UInt64(bucket + 1) }
    let exponent = (bucket - 8) / 4 + 3
    return UInt64(4 + (bucket - 8) % 4 + 1) << UInt64(exponent - 2)
  }

  /// What this share of all took less than, in microseconds; 0 when there are none.
  static func quantile(_ counts: [UInt64], perMille: UInt64) -> UInt64 {
    let total = counts.reduce(0, +)
    guard total > 0 else { return 0 }
    let rank = (total * perMille + 999) / 1000
    var sum: UInt64 = 0
    for (bucket, count) in counts.enumerated() {
      sum += count
      if sum >= rank { return end(bucket) * 1000 }
    }
    return 0
  }
}
