import Paxos

/// A machine's clocks: the monotonic one runs also while the machine's processes do not, and a little too fast or
/// slow; the one on the wall is set, and jumps.
struct SimulatedClock: Sendable {
  /// Parts per thousand by which it is fast.
  private(set) var drift: Int
  /// What it showed, in microseconds, when its pace last changed, and when that was.
  private var shown: Int
  private var since: Moment = 0
  /// By how much the wall's clock is ahead of the other, in milliseconds.
  private var ahead = 0

  init(drift: Int, showing milliseconds: Int) {
    self.drift = drift
    shown = milliseconds * 1000
  }

  func reading(at time: Moment) -> Milliseconds {
    Milliseconds(micros(at: time) / 1000)
  }

  mutating func change(drift: Int, at time: Moment) {
    shown = micros(at: time)
    since = time
    self.drift = drift
  }

  /// Milliseconds since 1970, or what the machine takes for it.
  ///
  /// One simulated minute counts as an hour on the wall, so that keys are rotated in a short life.
  func wall(at time: Moment) -> UInt64 {
    UInt64(max(0, micros(at: time) / 1000 * 60 + ahead))
  }

  /// Somebody sets the wall's clock.
  mutating func jump(milliseconds: Int) { ahead += milliseconds }

  private func micros(at time: Moment) -> Int {
    shown + (time - since) * (1000 + drift) / 1000
  }
}
