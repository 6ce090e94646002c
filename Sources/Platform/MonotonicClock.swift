internal import Glibc

/// The time since boot that never jumps: for time-outs and ages, never for display.
///
/// Read it once per batch and pass it in; a reading costs 24 ns, a coarse one 5 ns.
public enum MonotonicClock {
  /// Nanoseconds of CLOCK_MONOTONIC.
  public static var nanoseconds: UInt64 { read(CLOCK_MONOTONIC) }

  /// Milliseconds of CLOCK_MONOTONIC.
  public static var milliseconds: UInt64 { nanoseconds / 1_000_000 }

  /// Milliseconds of CLOCK_MONOTONIC_COARSE, as of the last scheduler tick: 1 to 10 ms late.
  public static var coarseMilliseconds: UInt64 { read(CLOCK_MONOTONIC_COARSE) / 1_000_000 }

  private static func read(_ clock: clockid_t) -> UInt64 {
    var time = timespec()
    let code = unsafe clock_gettime(clock, &time)
    precondition(code == 0, "the kernel has CLOCK_MONOTONIC")
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
