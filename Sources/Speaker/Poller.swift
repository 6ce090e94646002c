import CLinux
import Glibc

/// Sleeps until a descriptor is ready, a deadline comes, or another thread wakes it.
struct Poller: ~Copyable, Sendable {
  /// A descriptor to watch, and what for.
  struct Interest {
    var descriptor: CInt
    var wantsToWrite: Bool
  }

  /// What a descriptor is ready for; an error shows as both.
  struct Readiness {
    var canRead: Bool
    var canWrite: Bool
  }

  private let wakeDescriptor: CInt

  init() throws(SpeakerError) {
    wakeDescriptor = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
    guard wakeDescriptor >= 0 else {
      throw SpeakerError(
        .system, "no event descriptor for the BGP thread: \(TCPSocket.text(of: errno)); raise the open file limit")
    }
  }

  deinit { if wakeDescriptor >= 0 { _ = close(wakeDescriptor) } }

  /// Ends a `wait`, or the next one; may be called from any thread.
  func wake() {
    var one: UInt64 = 1
    _ = unsafe write(wakeDescriptor, &one, MemoryLayout<UInt64>.size)
  }

  /// Waits at most so long; answers in the order of `interests`.
  func wait(for interests: [Interest], milliseconds: Int) -> [Readiness] {
    var descriptors = [pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0)]
    for interest in interests {
      let events = interest.wantsToWrite ? POLLIN | POLLOUT : POLLIN
      descriptors.append(pollfd(fd: interest.descriptor, events: Int16(events), revents: 0))
    }
    let count = unsafe poll(&descriptors, nfds_t(descriptors.count), CInt(milliseconds))
    guard count > 0 else {
      return interests.map { _ in Readiness(canRead: false, canWrite: false) }
    }
    if descriptors[0].revents != 0 {
      var count: UInt64 = 0
      _ = unsafe read(wakeDescriptor, &count, MemoryLayout<UInt64>.size)
    }
    return descriptors.dropFirst().map { descriptor in
      let happened = Int32(descriptor.revents)
      let broken = happened & (POLLERR | POLLHUP | POLLNVAL) != 0
      return Readiness(
        canRead: broken || happened & POLLIN != 0, canWrite: broken || happened & POLLOUT != 0)
    }
  }
}
