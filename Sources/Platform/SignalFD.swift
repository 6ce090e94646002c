internal import CLinux

/// The request to end the process, as a descriptor that an epoll can wait for.
///
/// Make it before any other thread is started: threads inherit that SIGINT and SIGTERM are blocked.
/// The corresponding C functions are `pthread_sigmask` and `signalfd`.
public struct SignalFD: ~Copyable, Sendable {
  /// To be watched for reading.
  public let descriptor: FileDescriptor

  /// Blocks SIGINT and SIGTERM for the calling thread and those it starts, and receives them here.
  public init() throws(PlatformError) {
    let raw = clinux_termination_signals()
    guard raw >= 0 else { throw PlatformError("receive", "SIGINT and SIGTERM", .current) }
    descriptor = FileDescriptor(owning: raw)
  }

  /// The number of one signal that came; nil when none did.
  public borrowing func next() -> CInt? {
    let number = clinux_next_signal(descriptor.raw)
    return number > 0 ? number : nil
  }
}
