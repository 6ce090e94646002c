import BGP
import Logging
import Wire

/// What the speaker's thread does: wait, read, write, keep time, until it is told to stop.
final class SpeakerLoop {
  private let mailbox: Mailbox
  private let logger: Logger
  private let neighbors: [Neighbor]

  init(_ configuration: SpeakerConfiguration, mailbox: Mailbox, logger: Logger) {
    self.mailbox = mailbox
    self.logger = logger
    neighbors = configuration.neighbors.map { Neighbor($0, of: configuration, logger: logger) }
  }

  func run() {
    for neighbor in neighbors { neighbor.handle(.start) }
    while true {
      let (desired, stopReason) = mailbox.take()
      if let desired { announce(desired) }
      if let stopReason { return stop(stopReason) }
      turn()
    }
  }

  private func announce(_ desired: [IPv4Prefix]) {
    if desired.count > BGP.Limits.maximumPrefixes {
      logger.error("\(desired.count) prefixes to announce; only \(BGP.Limits.maximumPrefixes) are")
    }
    for neighbor in neighbors { neighbor.handle(.announce(desired)) }
  }

  private func stop(_ reason: String) {
    for neighbor in neighbors { neighbor.handle(.stop(reason: reason)) }
    while neighbors.contains(where: \.isSayingGoodbye) { turn() }
    publish()
  }

  private func turn() {
    publish()
    let interests = neighbors.map(\.interests)
    var answers = mailbox.poller.wait(
      for: interests.flatMap { $0 }, milliseconds: millisecondsToWait())[...]
    for (neighbor, own) in zip(neighbors, interests) {
      neighbor.proceed(answers.prefix(own.count))
      answers.removeFirst(own.count)
    }
    let now = ContinuousClock.now
    for neighbor in neighbors { neighbor.expire(now: now) }
  }

  private func publish() { mailbox.publish(neighbors.map(\.snapshot)) }

  /// Rounded up, so that the thread does not wake just before a deadline.
  private func millisecondsToWait() -> Int {
    guard let deadline = neighbors.compactMap(\.nextDeadline).min() else {
      return Limits.maximumWaitMilliseconds
    }
    let wait = (deadline - .now) / .milliseconds(1)
    return Int(min(max(wait.rounded(.up), 0), Double(Limits.maximumWaitMilliseconds)))
  }
}
