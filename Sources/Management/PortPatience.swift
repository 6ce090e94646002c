import Control
import Wire

/// The VMs of one agent's stream that were told to wait before they ask for ports again, and until when.
///
/// The agent has heard it, since it was said on the same stream. One that asks all the same is not answered again: so a
/// flood costs the primary what it takes to read it, and no more.
struct PortPatience: Sendable {
  private var ends: [IPv4Address: ContinuousClock.Instant] = [:]

  /// A refusal goes out.
  mutating func begin(_ refusal: PortRefusal, at now: ContinuousClock.Instant) {
    if ends.count >= Limits.patientMachines { ends = ends.filter { now < $0.value } }
    // What an agent invents has no bound; beyond it everything is answered.
    guard ends.count < Limits.patientMachines else { return }
    ends[refusal.locator] = now + .milliseconds(Int(refusal.retryAfterMilliseconds))
  }

  /// Whether a VM asks before it may.
  func covers(_ locator: IPv4Address, at now: ContinuousClock.Instant) -> Bool {
    ends[locator].map { now < $0 } ?? false
  }
}
