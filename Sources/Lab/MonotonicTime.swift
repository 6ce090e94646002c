import Dispatch

/// Nanoseconds of the machine's monotonic clock, which all processes and namespaces share.
enum MonotonicTime {
  /// Now.
  static var now: UInt64 { DispatchTime.now().uptimeNanoseconds }

  /// How much later `end` is than `start`, in milliseconds; negative if it is earlier.
  static func milliseconds(from start: UInt64, to end: UInt64) -> Double {
    (Double(end) - Double(start)) / 1_000_000
  }
}
