public import Wire

/// Makes many short connections, each with one HTTP request whose reply names the backend.
public struct ConnectLoad: Hashable, Sendable {
  /// Where to.
  public var address: IPv4Address
  /// Where to.
  public var port: UInt16
  /// How many in all.
  public var count: Int
  /// How many at once, at most 900.
  public var concurrency: Int
  /// How many are begun per second; 0 for as many as can be.
  public var perSecond: Int
  /// After this a connection counts as failed.
  ///
  /// The kernel repeats a lost SYN after 1 s and again after 2 s.
  public var timeoutMilliseconds: Int

  /// Describes a load.
  public init(
    address: IPv4Address, port: UInt16, count: Int, concurrency: Int = 50, perSecond: Int = 0,
    timeoutMilliseconds: Int = 5_000
  ) {
    self.address = address
    self.port = port
    self.count = count
    self.concurrency = concurrency
    self.perSecond = perSecond
    self.timeoutMilliseconds = timeoutMilliseconds
  }

  /// Makes the connections from this process's namespace.
  public func run() -> ConnectReport {
    var run = ConnectRun(load: self)
    run.run()
    return run.report
  }
}

/// What became of short connections; times are nanoseconds of the monotonic clock.
public struct ConnectReport: Codable, Hashable, Sendable {
  /// Who served.
  public struct Share: Codable, Hashable, Sendable {
    /// The name that the replies said.
    public var backend: String
    /// How many connections.
    public var count: Int
    /// When the last of them was begun.
    public var lastBegan: UInt64
  }
  /// A connection that did not end well.
  public struct Failure: Codable, Hashable, Sendable {
    /// When it was begun.
    public var began: UInt64
    /// When it had failed.
    public var ended: UInt64
    /// Why.
    public var reason: String
  }
  /// When the first was begun.
  public var began: UInt64
  /// When the last had ended.
  public var ended: UInt64
  /// All that were begun.
  public var attempted = 0
  /// Replies of status 200.
  public var succeeded = 0
  /// The others.
  public var failed = 0
  /// By backend, sorted by name.
  public var shares: [Share] = []
  /// The first 10,000, in the order in which they failed.
  public var failures: [Failure] = []
  /// Half of the connections took no longer, from SYN to FIN.
  public var medianMilliseconds = 0.0
  /// 99 % of the connections took no longer.
  public var percentile99Milliseconds = 0.0

  /// How long all took.
  public var seconds: Double { MonotonicTime.milliseconds(from: began, to: ended) / 1000 }

  /// How many connections a backend served.
  public func count(of backend: String) -> Int { shares.first { $0.backend == backend }?.count ?? 0 }
}

private struct ConnectRun {
  private struct Attempt {
    let socket: Socket
    let began: UInt64
    var isConnected = false
    var reply = HTTPReply()
  }

  let load: ConnectLoad
  var report: ConnectReport
  private var poller = Poller()
  private let request: [UInt8]
  private var attempts: [Int32: Attempt] = [:]
  private var durations: [UInt64] = []
  private var shares: [String: ConnectReport.Share] = [:]

  init(load: ConnectLoad) {
    self.load = load
    let now = MonotonicTime.now
    report = ConnectReport(began: now, ended: now)
    request = Array("GET / HTTP/1.1\r\nHost: \(load.address)\r\nConnection: close\r\n\r\n".utf8)
  }

  mutating func run() {
    let concurrency = min(max(1, load.concurrency), Limits.openConnections)
    while report.attempted < load.count || !attempts.isEmpty {
      while report.attempted < load.count, attempts.count < concurrency, isDue { begin() }
      for descriptor in poller.wait(milliseconds: load.perSecond > 0 ? 1 : 20) { proceed(descriptor) }
      expire()
    }
    report.ended = MonotonicTime.now
    report.shares = shares.values.sorted { $0.backend < $1.backend }
    durations.sort()
    if let last = durations.indices.last {
      report.medianMilliseconds = Double(durations[last / 2]) / 1_000_000
      report.percentile99Milliseconds = Double(durations[last * 99 / 100]) / 1_000_000
    }
  }

  private var isDue: Bool {
    guard load.perSecond > 0 else { return true }
    let due = report.began + UInt64(report.attempted) * 1_000_000_000 / UInt64(load.perSecond)
    return MonotonicTime.now >= due
  }

  private mutating func begin() {
    report.attempted += 1
    let now = MonotonicTime.now
    do {
      let socket = try Socket.connecting(to: load.address, port: load.port)
      poller.set(.writing, for: socket)
      attempts[socket.descriptor] = Attempt(socket: socket, began: now)
    } catch {
      fail(began: now, "\(error)")
    }
  }

  private mutating func proceed(_ descriptor: Int32) {
    guard var attempt = attempts[descriptor] else { return }
    do {
      if !attempt.isConnected {
        if let error = attempt.socket.pendingError { throw error }
        try attempt.socket.send(request)
        poller.set(.reading, for: attempt.socket)
        attempt.isConnected = true
        attempts[descriptor] = attempt
        return
      }
      switch try attempt.socket.receive() {
      case .nothingYet: return
      case .bytes(let bytes):
        guard attempt.reply.append(bytes) else {
          close(descriptor)
          return fail(began: attempt.began, "the reply is too long")
        }
        attempts[descriptor] = attempt
      case .end:
        close(descriptor)
        finish(attempt)
      }
    } catch {
      close(descriptor)
      fail(began: attempt.began, "\(error)")
    }
  }

  private mutating func close(_ descriptor: Int32) {
    poller.remove(descriptor)
    attempts[descriptor] = nil
  }

  private mutating func finish(_ attempt: Attempt) {
    guard let (status, body) = attempt.reply.whole else {
      return fail(began: attempt.began, "the connection ended before the reply")
    }
    guard status == 200 else { return fail(began: attempt.began, "status \(status)") }
    report.succeeded += 1
    durations.append(MonotonicTime.now - attempt.began)
    var share = shares[body] ?? .init(backend: body, count: 0, lastBegan: 0)
    share.count += 1
    share.lastBegan = max(share.lastBegan, attempt.began)
    shares[body] = share
  }

  private mutating func expire() {
    let now = MonotonicTime.now
    let limit = UInt64(load.timeoutMilliseconds) * 1_000_000
    let late = attempts.filter { now - $0.value.began > limit }.sorted { $0.key < $1.key }
    for (descriptor, attempt) in late {
      close(descriptor)
      fail(began: attempt.began, "no end within \(load.timeoutMilliseconds) ms")
    }
  }

  private mutating func fail(began: UInt64, _ reason: String) {
    report.failed += 1
    guard report.failures.count < Limits.listedFailures else { return }
    report.failures.append(.init(began: began, ended: MonotonicTime.now, reason: reason))
  }
}
