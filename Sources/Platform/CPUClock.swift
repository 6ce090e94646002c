internal import Glibc

/// What a thread has used of a CPU: for measurements.
public enum CPUClock {
  /// Nanoseconds that the calling thread has run (CLOCK_THREAD_CPUTIME_ID), in the kernel and outside of it.
  public static var nanoseconds: UInt64 {
    var time = timespec()
    let code = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    precondition(code == 0, "the kernel has CLOCK_THREAD_CPUTIME_ID")
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }
}
