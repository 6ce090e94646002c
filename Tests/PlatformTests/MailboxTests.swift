import Platform
import Synchronization
import Testing

struct MailboxTests {
  /// Counts how many of its kind are alive.
  private final class Snapshot: Sendable {
    let number: Int
    let alive: Counter
    init(_ number: Int, _ alive: Counter) {
      self.number = number
      self.alive = alive
      alive.value.add(1, ordering: .relaxed)
    }
    deinit { alive.value.subtract(1, ordering: .relaxed) }
  }

  private final class Counter: Sendable {
    let value = Atomic<Int>(0)
    var now: Int { value.load(ordering: .sequentiallyConsistent) }
  }

  @Test func theNewestSnapshotIsTakenOnce() throws {
    let alive = Counter()
    let mailbox = try Mailbox<Snapshot>()
    #expect(mailbox.take() == nil)
    for number in 1...3 { mailbox.post(Snapshot(number, alive)) }
    #expect(alive.now == 1, "snapshots that nobody took are released")
    #expect(mailbox.take()?.number == 3)
    #expect(mailbox.take() == nil)
    #expect(alive.now == 0)
  }

  @Test func aMailboxReleasesWhatNobodyTook() throws {
    let alive = Counter()
    do {
      let mailbox = try Mailbox<Snapshot>()
      mailbox.post(Snapshot(1, alive))
      #expect(alive.now == 1)
    }
    #expect(alive.now == 0)
  }

  @Test func aPostWakesAnEpoll() throws {
    let alive = Counter()
    let mailbox = try Mailbox<Snapshot>()
    var epoll = try Epoll()
    try epoll.add(mailbox.wakeup.descriptor, tag: 42)
    var counts = [try epoll.wait(timeoutMilliseconds: 0)]
    mailbox.post(Snapshot(1, alive))
    counts.append(try epoll.wait(timeoutMilliseconds: 1000))
    let tag = epoll[0].tag
    let wasSignalled = mailbox.wakeup.drain()
    counts.append(try epoll.wait(timeoutMilliseconds: 0))
    #expect(counts == [0, 1, 0])
    #expect(tag == 42)
    #expect(wasSignalled)
  }

  /// Two threads post, one takes: each poster's numbers arrive in ascending order, the last one arrives, and
  /// nothing is left alive.
  @Test(arguments: 0..<8) func threadsPostAndOneTakes(round: Int) throws {
    let alive = Counter()
    let last = 20_000
    let mailbox = try Mailbox<Snapshot>()
    let posters = try (0..<2).map { poster in
      let thread = try WorkerThread.start(named: "plattest-post") {
        for number in stride(from: poster, through: last, by: 2) { mailbox.post(Snapshot(number, alive)) }
      }
      return Joined(thread)
    }
    var newest = [-1, -1]
    var isOrdered = true
    func look() {
      guard let snapshot = mailbox.take() else { return }
      isOrdered = isOrdered && snapshot.number > newest[snapshot.number % 2]
      newest[snapshot.number % 2] = snapshot.number
    }
    for _ in 0..<10_000 { look() }
    for poster in posters { poster.join() }
    look()
    #expect(isOrdered)
    #expect(newest.contains(last) || newest.contains(last - 1))
    #expect(mailbox.take() == nil)
    #expect(alive.now == 0)
  }

  /// Lets a thread lie in an array.
  private final class Joined: Sendable {
    private let thread: Mutex<WorkerThread?>
    init(_ thread: consuming sending WorkerThread) { self.thread = Mutex(thread) }
    func join() { thread.withLock { $0.take()?.join() } }
  }
}
