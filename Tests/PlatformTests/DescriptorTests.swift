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
    #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
    other.signal()
    #expect(try epoll.wait(timeoutMilliseconds: 1000) == 1)
    let event = epoll[0]
    #expect(event.tag == 0x0123_4567_89AB_CDEF)
    #expect(event.readiness == .readable)
    one.signal()
    #expect(try epoll.wait(timeoutMilliseconds: 1000) == 2)
    try epoll.modify(one.descriptor, tag: 5, interest: [.readable, .writable])
    try epoll.remove(other.descriptor)
    #expect(try epoll.wait(timeoutMilliseconds: 1000) == 1)
    let modified = epoll[0]
    #expect(modified.tag == 5)
    #expect(modified.readiness == [.readable, .writable])
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
    #expect(!event.drain())
    event.signal()
    event.signal()
    #expect(event.drain())
    #expect(!event.drain())
  }

  @Test func timersFireWhenArmed() throws {
    var epoll = try Epoll()
    let timer = try TimerFD()
    try epoll.add(timer.descriptor, tag: 1)
    #expect(timer.drain() == 0)
    timer.arm(afterMilliseconds: 0)
    #expect(try epoll.wait(timeoutMilliseconds: 5000) == 1)
    #expect(timer.drain() == 1)
    timer.arm(everyMilliseconds: 1)
    for _ in 0..<3 {
      #expect(try epoll.wait(timeoutMilliseconds: 5000) == 1)
      #expect(timer.drain() >= 1)
    }
    timer.arm(afterMilliseconds: 3_600_000)
    timer.disarm()
    #expect(try epoll.wait(timeoutMilliseconds: 0) == 0)
  }

  @Test func terminationComesAsAnEvent() async {
    await #expect(processExitsWith: .exitCode(7)) {
      let signals = try SignalFD()
      #expect(signals.next() == nil)
      kill(getpid(), SIGTERM)
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
