public import Wire

/// Keeps connections open and exchanges an HTTP request and reply on each, again and again.
public struct HoldLoad: Hashable, Sendable {
  /// Where to.
  public var address: IPv4Address
  /// Where to.
  public var port: UInt16
  /// How many connections, at most 900.
  public var count: Int
  /// How long they are held.
  public var seconds: Int
  /// The local port of the first; the others follow.
  ///
  /// Known ports let the router say which MUX each will take.
  public var firstLocalPort: UInt16
  /// From a reply to the next request.
  public var intervalMilliseconds: Int
  /// A connection that waits longer for a reply is broken.
  public var patienceMilliseconds: Int

  /// Describes a load.
  public init(
    address: IPv4Address, port: UInt16, count: Int, seconds: Int, firstLocalPort: UInt16 = 20_000,
    intervalMilliseconds: Int = 100, patienceMilliseconds: Int = 10_000
  ) {
    self.address = address
    self.port = port
    self.count = count
    self.seconds = seconds
    self.firstLocalPort = firstLocalPort
    self.intervalMilliseconds = intervalMilliseconds
    self.patienceMilliseconds = patienceMilliseconds
  }

  /// The local ports.
  public var localPorts: [UInt16] { (0..<count).map { firstLocalPort + UInt16($0) } }

  /// Holds the connections from this process's namespace.
  public func run() -> HoldReport {
    var run = HoldRun(load: self)
    run.run()
    return HoldReport(connections: run.connections.map(\.report))
  }
}

/// What became of long connections; times are nanoseconds of the monotonic clock.
public struct HoldReport: Codable, Hashable, Sendable {
  /// One of them.
  public struct Connection: Codable, Hashable, Sendable {
    /// Its port at the client.
    public var localPort: UInt16
    /// Who serves it; empty before the first reply.
    public var backend = ""
    /// Replies received.
    public var exchanges = 0
    /// When the first reply came; 0 if none did.
    public var firstReply: UInt64 = 0
    /// The longest time between two replies.
    public var longestGapMilliseconds = 0.0
    /// When it broke; nil if it held.
    public var broke: UInt64?
    /// Why it broke.
    public var reason: String?
  }
  /// By local port.
  public var connections: [Connection]

  /// Those that broke, or never came about.
  public var broken: [Connection] { connections.filter { $0.broke != nil } }
}

private struct HoldRun {
  struct Held {
    var socket: Socket?
    var report: HoldReport.Connection
    var isConnected = false
    var reply = HTTPReply()
    /// When the next request is due; nil while a reply is awaited.
    var due: UInt64?
    /// Since when a reply, or the handshake, is awaited.
    var waitingSince: UInt64
    var lastReply: UInt64 = 0
  }

  let load: HoldLoad
  var connections: [Held] = []
  private var poller = Poller()
  private let request: [UInt8]
  private var indices: [Int32: Int] = [:]

  init(load: HoldLoad) {
    self.load = load
    request = Array("GET / HTTP/1.1\r\nHost: \(load.address)\r\n\r\n".utf8)
  }

  mutating func run() {
    for port in load.localPorts { begin(from: port) }
    let end = MonotonicTime.now + UInt64(load.seconds) * 1_000_000_000
    while MonotonicTime.now < end {
      for descriptor in poller.wait(milliseconds: 5) {
        if let index = indices[descriptor] { proceed(index) }
      }
      let now = MonotonicTime.now
      for index in connections.indices where connections[index].socket != nil { keepUp(index, now: now) }
    }
  }

  private mutating func begin(from port: UInt16) {
    var held = Held(socket: nil, report: .init(localPort: port), waitingSince: MonotonicTime.now)
    do {
      let socket = try Socket.connecting(to: load.address, port: load.port, localPort: port)
      poller.set(.writing, for: socket)
      indices[socket.descriptor] = connections.count
      held.socket = socket
    } catch {
      held.report.broke = MonotonicTime.now
      held.report.reason = "\(error)"
    }
    connections.append(held)
  }

  private mutating func proceed(_ index: Int) {
    guard let socket = connections[index].socket else { return }
    do {
      if !connections[index].isConnected {
        if let error = socket.pendingError { throw error }
        connections[index].isConnected = true
        poller.set(.reading, for: socket)
        try socket.send(request)
        return
      }
      switch try socket.receive() {
      case .nothingYet: return
      case .end: return end(index, "the server closed the connection")
      case .bytes(let bytes):
        guard connections[index].reply.append(bytes) else { return end(index, "the reply is too long") }
      }
      guard let (status, body) = connections[index].reply.whole else { return }
      guard status == 200 else { return end(index, "status \(status)") }
      replied(index, by: body)
    } catch {
      end(index, "\(error)")
    }
  }

  private mutating func replied(_ index: Int, by backend: String) {
    let now = MonotonicTime.now
    connections[index].reply = HTTPReply()
    connections[index].due = now + UInt64(load.intervalMilliseconds) * 1_000_000
    if connections[index].report.exchanges == 0 {
      connections[index].report.backend = backend
      connections[index].report.firstReply = now
    } else {
      let gap = MonotonicTime.milliseconds(from: connections[index].lastReply, to: now)
      connections[index].report.longestGapMilliseconds = max(
        connections[index].report.longestGapMilliseconds, gap)
    }
    connections[index].report.exchanges += 1
    connections[index].lastReply = now
    let first = connections[index].report.backend
    if backend != first { end(index, "the connection went from \(first) to \(backend)") }
  }

  private mutating func keepUp(_ index: Int, now: UInt64) {
    if let due = connections[index].due, now >= due, let socket = connections[index].socket {
      connections[index].due = nil
      connections[index].waitingSince = now
      do {
        try socket.send(request)
      } catch {
        end(index, "\(error)")
      }
    } else if connections[index].due == nil {
      let waited = MonotonicTime.milliseconds(from: connections[index].waitingSince, to: now)
      guard waited > Double(load.patienceMilliseconds) else { return }
      end(index, "no reply within \(load.patienceMilliseconds) ms")
    }
  }

  private mutating func end(_ index: Int, _ reason: String) {
    if let socket = connections[index].socket {
      indices[socket.descriptor] = nil
      poller.remove(socket.descriptor)
    }
    connections[index].socket = nil
    connections[index].report.broke = MonotonicTime.now
    connections[index].report.reason = reason
  }
}
