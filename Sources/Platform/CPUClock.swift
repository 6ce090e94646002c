internal import CLinux
internal import Glibc

/// What the calling thread has used of a CPU, and on which: for measurements.
public enum CPUClock {
  /// Nanoseconds that the calling thread has run (CLOCK_THREAD_CPUTIME_ID), in the kernel and outside of it.
  public static var nanoseconds: UInt64 {
    var time = timespec()
    let code = unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    precondition(code == 0, "the kernel has CLOCK_THREAD_CPUTIME_ID")
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Keeps the calling thread, and those it starts from now on, on one CPU.
  ///
  /// The corresponding command is `taskset -c CPU`.
  public static func stay(onCPU cpu: Int) throws(PlatformError) {
    let code = clinux_pin_thread(CInt(cpu))
    guard code == 0 else { throw PlatformError("stay on", "CPU \(cpu)", Errno(rawValue: code)) }
  }
}
