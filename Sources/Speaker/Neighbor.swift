import BGP
import Logging
import Wire

/// One router: its session, its connection, its timers. Owned by the speaker's thread.
final class Neighbor {
  private let configuration: NeighborConfiguration
  private let localAddress: IPv4Address
  private let userTimeoutMilliseconds: Int
  private let logger: Logger

  private var session: Session
  private var since = ContinuousClock.now
  private var socket: TCPSocket?
  private var isConnecting = false
  private var isBroken = false
  private var output: ArraySlice<UInt8> = []
  private var deadlines: [SessionTimer: ContinuousClock.Instant] = [:]
  private var farewells: [Farewell] = []
  private var lastReport: String?

  init(_ neighbor: NeighborConfiguration, of speaker: SpeakerConfiguration, logger: Logger) {
    configuration = neighbor
    localAddress = speaker.localAddress
    userTimeoutMilliseconds = speaker.holdTimeSeconds * 1000
    session = Session(speaker.session(with: neighbor))
    var logger = logger
    logger[metadataKey: "peer"] = "\(neighbor.address)"
    self.logger = logger
  }

  var snapshot: Mailbox.Snapshot {
    Mailbox.Snapshot(
      peer: configuration.address, state: session.state, since: since, announced: session.announcedCount,
      counters: session.counters, lastError: session.lastError)
  }

  // MARK: Time

  /// The next moment at which `expire` has something to do.
  var nextDeadline: ContinuousClock.Instant? {
    (deadlines.values + farewells.map(\.deadline)).min()
  }

  var isSayingGoodbye: Bool { !farewells.isEmpty }

  func expire(now: ContinuousClock.Instant) {
    farewells.removeAll { $0.isOver(at: now) }
    for timer in SessionTimer.allCases {
      guard let deadline = deadlines[timer], deadline <= now else { continue }
      deadlines[timer] = nil
      handle(.timerExpired(timer))
    }
  }

  // MARK: Descriptors

  /// What to watch: the connection first, if there is one, then those that say goodbye.
  var interests: [Poller.Interest] {
    var interests: [Poller.Interest] = []
    if let descriptor = socket?.descriptor {
      interests.append(
        Poller.Interest(descriptor: descriptor, wantsToWrite: isConnecting || !output.isEmpty))
    }
    return interests
      + farewells.map {
        Poller.Interest(descriptor: $0.socket.descriptor, wantsToWrite: $0.wantsToWrite)
      }
  }

  /// Takes the answers to `interests`, in their order.
  func proceed(_ readiness: ArraySlice<Poller.Readiness>) {
    var readiness = readiness
    let departing = farewells
    if socket != nil, let own = readiness.popFirst() { proceed(own) }
    for (farewell, ready) in zip(departing, readiness) { farewell.proceed(ready) }
  }

  private func proceed(_ readiness: Poller.Readiness) {
    guard !isConnecting else {
      if readiness.canWrite { finishConnecting() }
      return
    }
    if readiness.canWrite { flush() }
    if readiness.canRead, !isBroken, let result = socket?.read() {
      switch result {
      case .octets(let octets): handle(.received(octets))
      case .wouldBlock: break
      case .ended: breakConnection("the peer closed the connection")
      case .failed(let code): breakConnection(TCPSocket.text(of: code))
      }
    }
  }

  private func finishConnecting() {
    guard let code = socket?.connectResult() else { return }
    isConnecting = false
    guard code == 0 else {
      return breakConnection("cannot connect to port \(configuration.port): \(TCPSocket.text(of: code))")
    }
    handle(.connected)
  }

  private func breakConnection(_ reason: String) {
    isBroken = true
    handle(.connectionFailed(reason))
  }

  // MARK: The session

  /// Gives the session an event and carries out what it wants; a failure on the way is its next event.
  func handle(_ event: SessionEvent) {
    var next: SessionEvent? = event
    while let event = next {
      next = nil
      session.jitterPermille = Int.random(in: 750...1000)
      for effect in session.handle(event) {
        if let failure = perform(effect) { next = .connectionFailed(failure) }
      }
    }
  }

  /// Carries out an effect; returns what went wrong.
  private func perform(_ effect: SessionEffect) -> String? {
    switch effect {
    case .connect: return beginToConnect()
    case .close: close()
    case .send(let octets):
      output.append(contentsOf: octets)
      return write()
    case .arm(let timer, let milliseconds):
      deadlines[timer] = ContinuousClock.now.advanced(by: .milliseconds(milliseconds))
    case .disarm(let timer): deadlines[timer] = nil
    case .changed(let state): note(state)
    case .report(let sentence): note(sentence)
    }
    return nil
  }

  private func beginToConnect() -> String? {
    output = []
    isBroken = false
    do throws(TCPSocket.Failure) {
      socket = try TCPSocket(
        from: localAddress, to: configuration, userTimeoutMilliseconds: userTimeoutMilliseconds)
      isConnecting = true
      return nil
    } catch {
      return error.sentence
    }
  }

  private func close() {
    var leaving: TCPSocket?
    swap(&leaving, &socket)
    if !isConnecting, !isBroken, let leaving {
      let deadline = ContinuousClock.now.advanced(by: .milliseconds(Limits.farewellMilliseconds))
      farewells.append(Farewell(leaving, output: output, deadline: deadline))
      farewells.removeFirst(max(farewells.count - Limits.maximumFarewells, 0))
    }
    isConnecting = false
    output = []
  }

  private func flush() {
    if let failure = write() { handle(.connectionFailed(failure)) }
  }

  /// Writes what the kernel takes; the rest waits for `poll`.
  private func write() -> String? {
    while !output.isEmpty, !isBroken, let result = socket?.write(output) {
      switch result {
      case .written(let count): output.removeFirst(count)
      case .wouldBlock:
        guard output.count > Limits.maximumPendingOutput else { return nil }
        isBroken = true
        return "the peer does not read: \(output.count) octets are waiting"
      case .failed(let code):
        isBroken = true
        return TCPSocket.text(of: code)
      }
    }
    return nil
  }

  // MARK: The log

  private func note(_ state: SessionState) {
    since = .now
    guard state == .established else {
      return logger.debug("BGP session changed", metadata: ["state": "\(state.rawValue)"])
    }
    lastReport = nil
    logger.info("BGP session established", metadata: ["holdTimeSeconds": "\(session.holdTimeSeconds)"])
  }

  /// A router that is away says the same every few seconds; once is enough.
  private func note(_ sentence: String) {
    logger.log(level: sentence == lastReport ? .debug : .warning, "\(sentence)")
    lastReport = sentence
  }
}
