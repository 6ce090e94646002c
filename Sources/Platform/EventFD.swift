internal import CLinux
internal import Glibc

/// A wake-up that an epoll can wait for; any thread may give it.
///
/// The corresponding C function is `eventfd`.
public struct EventFD: ~Copyable, Sendable {
  /// To be watched for reading.
  public let descriptor: FileDescriptor

  /// Opens an event that has not been given.
  public init() throws(PlatformError) {
    let raw = eventfd(0, CInt(CLinux.EFD_NONBLOCK | CLinux.EFD_CLOEXEC))
    guard raw >= 0 else { throw PlatformError("open", "an event descriptor", .current) }
    descriptor = FileDescriptor(owning: raw)
  }

  /// Makes the descriptor readable; repeated signals before a `drain` are one.
  public borrowing func signal() {
    var one: UInt64 = 1
    // EAGAIN means that the counter is full, and so that the descriptor is readable: what was wanted.
    _ = unsafe Glibc.write(descriptor.raw, &one, MemoryLayout<UInt64>.size)
  }

  /// Makes the descriptor unreadable again; whether it had been signalled.
  @discardableResult public borrowing func drain() -> Bool {
    var count: UInt64 = 0
    return unsafe Glibc.read(descriptor.raw, &count, MemoryLayout<UInt64>.size) > 0
  }
}
