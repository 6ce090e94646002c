import Paxos

/// A machine's monotonic clock: it runs also while the machine's processes do not, and a little too fast or slow.
struct SimulatedClock: Sendable {
  /// Parts per thousand by which it is fast.
  private(set) var drift: Int
  /// What it showed, in microseconds, when its pace last changed, and when that was.
  private var shown: Int
  private var since: Moment = 0

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

  private func micros(at time: Moment) -> Int {
    shown + (time - since) * (1000 + drift) / 1000
  }
}
