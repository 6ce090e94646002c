import BGP
public import Logging
import Synchronization
public import Wire

/// BGP sessions with the routers of a MUX, on one thread of their own.
///
/// Every session announces the same set of prefixes with `localAddress` as next hop. The speaker connects, it never
/// listens; what routers announce is counted and forgotten.
public final class Speaker: Sendable {
  private enum Phase {
    case new
    case running(Mailbox, SessionThread)
    case stopped([SessionStatus])
  }

  private let configuration: SpeakerConfiguration
  private let logger: Logger
  /// Announced before the start, or while running.
  private let phase = Mutex<(phase: Phase, desired: [IPv4Prefix])>((.new, []))

  /// Describes a speaker; nothing happens before `start`.
  public init(_ configuration: SpeakerConfiguration, logger: Logger) {
    self.configuration = configuration
    self.logger = logger
  }

  deinit { stop(reason: "speaker released") }

  /// Checks the configuration and starts the thread, which connects to all routers.
  ///
  /// The connections live in the network namespace of the calling thread.
  ///
  /// - Throws: `SpeakerError` for a bad configuration, a second start, or a system without resources.
  public func start() throws(SpeakerError) {
    try configuration.check()
    try phase.withLock { guarded throws(SpeakerError) in
      guard case .new = guarded.phase else {
        throw SpeakerError(.alreadyStarted, "a speaker starts once; make a new one to start again")
      }
      let now = ContinuousClock.now
      let mailbox = try Mailbox(
        snapshots: configuration.neighbors.map {
          Mailbox.Snapshot(peer: $0.address, state: .idle, since: now, announced: 0, counters: .init())
        })
      mailbox.announce(guarded.desired)
      let (configuration, logger) = (configuration, logger)
      let thread = try SessionThread {
        SessionThread.raisePriority(logger: logger)
        SpeakerLoop(configuration, mailbox: mailbox, logger: logger).run()
      }
      guarded.phase = .running(mailbox, thread)
    }
  }

  /// Replaces the set of prefixes that all routers shall have; routers are told the difference only.
  ///
  /// Cheap, safe from any thread, and without effect if the set is what it was. Sets given before `start` count. At
  /// most 65,536 prefixes are announced; the highest addresses of a larger set are left out, with an error in the log.
  public func announce(_ prefixes: [IPv4Prefix]) {
    phase.withLock { guarded in
      guarded.desired = prefixes
      if case .running(let mailbox, _) = guarded.phase { mailbox.announce(prefixes) }
    }
  }

  /// The sessions in the order of the configuration; after `stop` as they were at the end.
  public func sessions() -> [SessionStatus] {
    phase.withLock { guarded in
      switch guarded.phase {
      case .new: []
      case .running(let mailbox, _): Self.statuses(mailbox)
      case .stopped(let last): last
      }
    }
  }

  /// Ends all sessions with Cease, Administrative Shutdown and the reason as text (RFC 9003); joins the thread.
  ///
  /// Takes at most two seconds, which routers that do not answer are given. A second call does nothing.
  public func stop(reason: String) {
    phase.withLock { guarded in
      guard case .running(let mailbox, let thread) = guarded.phase else { return }
      mailbox.stop(reason)
      thread.join()
      guarded.phase = .stopped(Self.statuses(mailbox))
    }
  }

  private static func statuses(_ mailbox: Mailbox) -> [SessionStatus] {
    let now = ContinuousClock.now
    return mailbox.snapshots.map { snapshot in
      SessionStatus(
        peer: snapshot.peer, state: snapshot.state,
        secondsInState: Int(max((now - snapshot.since).components.seconds, 0)), announced: snapshot.announced,
        messagesReceived: snapshot.counters.messagesReceived,
        establishments: snapshot.counters.establishments, lastError: snapshot.lastError)
    }
  }
}
