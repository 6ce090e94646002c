import BGP
import Synchronization
import Wire

/// What the speaker's thread shares with its callers.
final class Mailbox: Sendable {
  /// A session as its thread last saw it.
  struct Snapshot: Sendable {
    var peer: IPv4Address
    var state: SessionState
    var since: ContinuousClock.Instant
    var announced: Int
    var counters: SessionCounters
    var lastError: String?
  }

  private struct Contents {
    var desired: [IPv4Prefix] = []
    var hasNewDesired = false
    var stopReason: String?
    var snapshots: [Snapshot] = []
  }

  let poller: Poller
  private let contents: Mutex<Contents>

  init(snapshots: [Snapshot]) throws(SpeakerError) {
    poller = try Poller()
    contents = Mutex(Contents(snapshots: snapshots))
  }

  // MARK: Callers

  func announce(_ prefixes: [IPv4Prefix]) {
    let isNew = contents.withLock { contents in
      guard contents.desired != prefixes else { return false }
      contents.desired = prefixes
      contents.hasNewDesired = true
      return true
    }
    if isNew { poller.wake() }
  }

  func stop(_ reason: String) {
    contents.withLock { $0.stopReason = reason }
    poller.wake()
  }

  var snapshots: [Snapshot] { contents.withLock { $0.snapshots } }

  // MARK: The thread

  /// The desired set if it has changed since the last call, and the reason to stop if there is one.
  func take() -> (desired: [IPv4Prefix]?, stopReason: String?) {
    contents.withLock { contents in
      let desired = contents.hasNewDesired ? contents.desired : nil
      contents.hasNewDesired = false
      return (desired, contents.stopReason)
    }
  }

  func publish(_ snapshots: [Snapshot]) { contents.withLock { $0.snapshots = snapshots } }
}
