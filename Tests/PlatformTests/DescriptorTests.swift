import Glibc
import Platform
import Testing

struct DescriptorTests {
  @Test func epollTellsWhichDescriptorIsReady() throws {
    var epoll = try Epoll(capacity: 4)
    let one = try EventFD()
    let other = try EventFD()
    try epoll.add(one.descriptor, tag: .max)
    try epoll.add(other.descriptor, tag: 0x0123_4567_89AB_CDEF)
    try Self.expect(0, &epoll, 0)
    other.signal()
    try Self.expect(1, &epoll, 1000)
    let event = epoll[0]
    #expect(event.tag == 0x0123_4567_89AB_CDEF)
    #expect(event.readiness == .readable)
    one.signal()
    try Self.expect(2, &epoll, 1000)
    try epoll.modify(one.descriptor, tag: 5, interest: [.readable, .writable])
    try epoll.remove(other.descriptor)
    try Self.expect(1, &epoll, 1000)
    let modified = epoll[0]
    #expect(modified.tag == 5)
    #expect(modified.readiness == [.readable, .writable])
  }

  /// Waits, outside of #expect, which cannot hold a noncopyable value.
  private static func expect(_ count: Int, _ epoll: inout Epoll, _ milliseconds: CInt) throws {
    let found = try epoll.wait(timeoutMilliseconds: milliseconds)
    #expect(found == count)
  }

  @Test func watchingTwiceIsAnError() throws {
    let epoll = try Epoll()
    let event = try EventFD()
    try epoll.add(event.descriptor, tag: 1)
    do throws(PlatformError) {
      try epoll.add(event.descriptor, tag: 2)
      Issue.record("it is watched already")
    } catch {
      #expect(error.reason == .exists)
    }
  }

  @Test func eventsCountAsOneUntilDrained() throws {
    let event = try EventFD()
    var wasSignalled = [event.drain()]
    event.signal()
    event.signal()
    wasSignalled += [event.drain(), event.drain()]
    #expect(wasSignalled == [false, true, false])
  }

  @Test func timersFireWhenArmed() throws {
    var epoll = try Epoll()
    let timer = try TimerFD()
    try epoll.add(timer.descriptor, tag: 1)
    var counts = [timer.drain()]
    timer.arm(afterMilliseconds: 0)
    var ready = [try epoll.wait(timeoutMilliseconds: 5000)]
    counts.append(timer.drain())
    #expect(counts == [0, 1])
    timer.arm(everyMilliseconds: 1)
    for _ in 0..<3 {
      ready.append(try epoll.wait(timeoutMilliseconds: 5000))
      let count = timer.drain()
      #expect(count >= 1)
    }
    timer.arm(afterMilliseconds: 3_600_000)
    timer.disarm()
    ready.append(try epoll.wait(timeoutMilliseconds: 0))
    #expect(ready == [1, 1, 1, 1, 0])
  }

  @Test func terminationComesAsAnEvent() async {
    await #expect(processExitsWith: .exitCode(7)) {
      let signals = try SignalFD()
      let early = signals.next()
      #expect(early == nil)
      // To this thread: those that the test process began before do not block the signal.
      pthread_kill(pthread_self(), SIGTERM)
      var epoll = try Epoll()
      try epoll.add(signals.descriptor, tag: 1)
      _ = try epoll.wait(timeoutMilliseconds: 5000)
      exit(signals.next() == SIGTERM ? 7 : 8)
    }
  }

  @Test func descriptorsAreClosedOnce() throws {
    var raw: CInt = -1
    do {
      let descriptor = try FileDescriptor.open("/dev/null", O_RDONLY)
      let copy = try descriptor.duplicate()
      raw = descriptor.raw
      #expect(copy.raw != raw)
      #expect(fcntl(raw, F_GETFD) & FD_CLOEXEC != 0)
      try descriptor.close()
      let kept = copy.release()
      #expect(close(kept) == 0)
    }
    #expect(throws: Errno(rawValue: ENOENT)) { _ = try FileDescriptor.open("/nowhere/at/all", O_RDONLY) }
  }

  @Test func theClockGoesForward() {
    let before = MonotonicClock.nanoseconds
    #expect(MonotonicClock.nanoseconds >= before)
    #expect(MonotonicClock.milliseconds >= before / 1_000_000)
    #expect(MonotonicClock.coarseMilliseconds > 0)
  }
}
