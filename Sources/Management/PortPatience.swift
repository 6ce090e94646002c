import Control
import Wire

/// The VMs of one agent's stream that were told to wait before they ask for ports again, and until when.
///
/// The agent has heard it, since it was said on the same stream. One that asks all the same is not answered again: so a
/// flood costs the primary what it takes to read it, and no more.
struct PortPatience: Sendable {
  private var ends: [IPv4Address: ContinuousClock.Instant] = [:]
  /// Those that are over are looked for once a second at most.
  private var nextPurge: ContinuousClock.Instant?

  /// A refusal goes out.
  mutating func begin(_ refusal: PortRefusal, at now: ContinuousClock.Instant) {
    if ends.count >= Limits.patientMachines, nextPurge.map({ now >= $0 }) ?? true {
      ends = ends.filter { now < $0.value }
      nextPurge = now + .seconds(1)
    }
    // What an agent invents has no bound; beyond it everything is answered.
    guard ends.count < Limits.patientMachines || ends[refusal.locator] != nil else { return }
    // A little earlier than the agent was told: its clock has whole milliseconds, and rounds.
    let time = Int(refusal.retryAfterMilliseconds) - Limits.patienceMarginMilliseconds
    ends[refusal.locator] = now + .milliseconds(max(0, time))
  }

  /// An update goes out: what it says of a VM ends the refusal at the agent, too.
  mutating func end(_ update: Update) {
    guard !ends.isEmpty else { return }
    if update.isSnapshot { return ends = [:] }
    for command in update.commands {
      switch command {
      case .leasePortRange(let lease): ends[lease.locator] = nil
      case .setMachine(let machine): ends[machine.locator] = nil
      default: break
      }
    }
  }

  /// Whether a VM asks before it may.
  func covers(_ locator: IPv4Address, at now: ContinuousClock.Instant) -> Bool {
    ends[locator].map { now < $0 } ?? false
  }
}
