internal import CLinux
internal import Glibc

/// A timer that an epoll can wait for, on the monotonic clock.
///
/// The corresponding C functions are `timerfd_*`.
public struct TimerFD: ~Copyable, Sendable {
  /// To be watched for reading.
  public let descriptor: FileDescriptor

  /// Opens a timer that is not armed.
  public init() throws(PlatformError) {
    let flags = CInt(CLinux.TFD_NONBLOCK | CLinux.TFD_CLOEXEC)
    let raw = timerfd_create(CLOCK_MONOTONIC, flags)
    guard raw >= 0 else { throw PlatformError("open", "a timer", .current) }
    descriptor = FileDescriptor(owning: raw)
  }

  /// Fires once after a time of at least 1 ms.
  public borrowing func arm(afterMilliseconds delay: UInt64) {
    set(first: max(delay, 1), interval: 0)
  }

  /// Fires again and again; the interval is at least 1 ms.
  public borrowing func arm(everyMilliseconds interval: UInt64) {
    set(first: max(interval, 1), interval: max(interval, 1))
  }

  /// Fires no more.
  public borrowing func disarm() { set(first: 0, interval: 0) }

  /// Makes the descriptor unreadable again; how often the timer fired since the last time.
  @discardableResult public borrowing func drain() -> UInt64 {
    var count: UInt64 = 0
    let size = unsafe Glibc.read(descriptor.raw, &count, MemoryLayout<UInt64>.size)
    return size > 0 ? count : 0
  }

  private borrowing func set(first: UInt64, interval: UInt64) {
    var value = itimerspec(it_interval: Self.timespec(interval), it_value: Self.timespec(first))
    let code = unsafe timerfd_settime(descriptor.raw, 0, &value, nil)
    precondition(code == 0, "a timer accepts any positive time")
  }

  private static func timespec(_ milliseconds: UInt64) -> Glibc.timespec {
    Glibc.timespec(tv_sec: Int(milliseconds / 1000), tv_nsec: Int(milliseconds % 1000) * 1_000_000)
  }
}
