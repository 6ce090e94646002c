public import Wire

/// Opens connections to servers of the internet, one after another or many at once, and may keep all of them open.
public struct OutboundLoad: Hashable, Sendable {
  /// A server.
  public struct Target: Codable, Hashable, Sendable {
    /// Its address.
    public var address: IPv4Address
    /// Its port.
    public var port: UInt16

    /// Describes a server.
    public init(address: IPv4Address, port: UInt16) {
      self.address = address
      self.port = port
    }
  }

  /// The servers, which get connections in turn.
  public var targets: [Target]
  /// How many connections in all.
  public var count: Int
  /// How many are in the making at once.
  public var concurrency: Int
  /// How many are begun per second; 0 for as many as can be.
  public var perSecond: Int
  /// A handshake that takes longer has failed.
  ///
  /// The kernel repeats a lost SYN after 1 s and again after 2 s.
  public var timeoutMilliseconds: Int
  /// How long all are kept open once the last is up, before each exchanges a request and a reply.
  ///
  /// Nil: each is closed at once.
  public var keepSeconds: Int?
  /// After this many seconds none is begun any more, whatever the count.
  public var seconds: Int

  /// Describes a load.
  public init(
    targets: [Target], count: Int, concurrency: Int = 1, perSecond: Int = 0,
    timeoutMilliseconds: Int = 10_000,
    keepSeconds: Int? = nil, seconds: Int = 300
  ) {
    self.targets = targets
    self.count = count
    self.concurrency = concurrency
    self.perSecond = perSecond
    self.timeoutMilliseconds = timeoutMilliseconds
    self.keepSeconds = keepSeconds
    self.seconds = seconds
  }

  /// Opens the connections from this process's namespace.
  public func run() -> OutboundReport {
    var run = OutboundRun(load: self)
    run.run()
    return run.report
  }
}

/// What became of connections to the internet.
public struct OutboundReport: Codable, Hashable, Sendable {
  /// All that were begun.
  public var attempted = 0
  /// Handshakes that succeeded.
  public var connected = 0
  /// Those that did not.
  public var failed = 0
  /// Why, the first few.
  public var reasons: [String] = []
  /// The most that were open at once.
  public var open = 0
  /// Of the kept ones, those whose request was answered at the end.
  public var answered = 0
  /// From SYN to SYN-ACK, as the client's kernel saw it.
  public var handshakes = Distribution(milliseconds: [])
  /// From the first SYN to the end of the last handshake.
  public var seconds = 0.0

  /// Joins what another process reports of the same time.
  mutating func add(_ other: OutboundReport) {
    attempted += other.attempted
    connected += other.connected
    failed += other.failed
    open += other.open
    answered += other.answered
    reasons += other.reasons.filter { !reasons.contains($0) }
    handshakes = Distribution(milliseconds: handshakes.milliseconds + other.handshakes.milliseconds)
    seconds = max(seconds, other.seconds)
  }
}

private struct OutboundRun {
  private struct Attempt {
    let socket: Socket
    let began: UInt64
  }

  let load: OutboundLoad
  var report = OutboundReport()
  private var poller = Poller()
  private var attempts: [Int32: Attempt] = [:]
  private var kept: [Socket] = []
  private var times: [Double] = []
  private let began = MonotonicTime.now
  private var nextLook = MonotonicTime.now

  init(load: OutboundLoad) { self.load = load }

  mutating func run() {
    let end = began + UInt64(load.seconds) * 1_000_000_000
    let concurrency = min(max(1, load.concurrency), Limits.openConnections)
    var isOver = false
    while !isOver || !attempts.isEmpty {
      isOver = report.attempted >= load.count || MonotonicTime.now >= end
      while !isOver, report.attempted < load.count, attempts.count < concurrency, isDue { begin() }
      // At one connection at a time, waiting shorter would not find it sooner.
      for descriptor in poller.wait(milliseconds: load.perSecond > 0 ? 1 : 20) { proceed(descriptor) }
      expire()
    }
    report.seconds = MonotonicTime.milliseconds(from: began, to: MonotonicTime.now) / 1000
    report.handshakes = Distribution(milliseconds: times)
    report.open = max(report.open, kept.count)
    if let seconds = load.keepSeconds { exchange(from: MonotonicTime.now + UInt64(seconds) * 1_000_000_000) }
  }

  private var isDue: Bool {
    guard load.perSecond > 0 else { return true }
    return MonotonicTime.now >= began + UInt64(report.attempted) * 1_000_000_000 / UInt64(load.perSecond)
  }

  private mutating func begin() {
    let target = load.targets[report.attempted % load.targets.count]
    report.attempted += 1
    let now = MonotonicTime.now
    do {
      let socket = try Socket.connecting(to: target.address, port: target.port)
      poller.set(.writing, for: socket)
      attempts[socket.descriptor] = Attempt(socket: socket, began: now)
    } catch {
      fail("\(error)")
    }
  }

  private mutating func proceed(_ descriptor: Int32) {
    guard let attempt = attempts.removeValue(forKey: descriptor) else { return }
    poller.remove(descriptor)
    if let error = attempt.socket.pendingError { return fail("\(error)") }
    times.append(MonotonicTime.milliseconds(from: attempt.began, to: MonotonicTime.now))
    report.connected += 1
    if load.keepSeconds != nil { kept.append(attempt.socket) }
  }

  private mutating func expire() {
    let now = MonotonicTime.now
    guard now >= nextLook else { return }
    nextLook = now + 20_000_000
    let limit = UInt64(load.timeoutMilliseconds) * 1_000_000
    for (descriptor, attempt) in attempts where now - attempt.began > limit {
      poller.remove(descriptor)
      attempts[descriptor] = nil
      fail("no handshake within \(load.timeoutMilliseconds) ms")
    }
  }

  private mutating func fail(_ reason: String) {
    report.failed += 1
    if report.reasons.count < Limits.namedReasons, !report.reasons.contains(reason) {
      report.reasons.append(reason)
    }
  }

  // MARK: Kept connections

  /// Waits, then has every kept connection ask and be answered, so many at a time.
  private mutating func exchange(from start: UInt64) {
    while MonotonicTime.now < start { _ = poller.wait(milliseconds: 100) }
    let request = Array("GET / HTTP/1.1\r\nHost: internet\r\n\r\n".utf8)
    let width = min(max(1, load.concurrency), Limits.openConnections)
    for first in stride(from: 0, to: kept.count, by: width) {
      var waiting: [Int32: (socket: Socket, reply: HTTPReply)] = [:]
      for socket in kept[first..<min(kept.count, first + width)] {
        do {
          try socket.send(request)
          poller.set(.reading, for: socket)
          waiting[socket.descriptor] = (socket, HTTPReply())
        } catch {
          note("a kept connection broke: \(error)")
        }
      }
      let end = MonotonicTime.now + UInt64(load.timeoutMilliseconds) * 1_000_000
      while !waiting.isEmpty, MonotonicTime.now < end {
        for descriptor in poller.wait(milliseconds: 20) { hear(descriptor, &waiting) }
      }
      for descriptor in waiting.keys {
        poller.remove(descriptor)
        note("a kept connection got no reply within \(load.timeoutMilliseconds) ms")
      }
    }
  }

  private mutating func hear(
    _ descriptor: Int32, _ waiting: inout [Int32: (socket: Socket, reply: HTTPReply)]
  ) {
    guard let (socket, earlier) = waiting[descriptor] else { return }
    var reply = earlier
    do {
      switch try socket.receive() {
      case .nothingYet: return
      case .end: throw SocketError(call: "receive: the server closed the connection", number: 0)
      case .bytes(let bytes):
        guard reply.append(bytes) else {
          throw SocketError(call: "receive: the reply is too long", number: 0)
        }
        waiting[descriptor] = (socket, reply)
        guard let (status, _) = reply.whole else { return }
        if status == 200 { report.answered += 1 } else { note("status \(status)") }
      }
    } catch {
      note("a kept connection broke: \(error)")
    }
    poller.remove(descriptor)
    waiting[descriptor] = nil
  }

  private mutating func note(_ reason: String) {
    if report.reasons.count < Limits.namedReasons, !report.reasons.contains(reason) {
      report.reasons.append(reason)
    }
  }
}
