/// Something that the deterministic driver did.
public struct DriverEvent<Key: Hashable & Sendable, Payload: Sendable>: Sendable {
  /// What it did with a work.
  public enum Step: Equatable, Sendable {
    /// A worker began.
    case started
    /// The worker is done: this is when the work has its effect.
    case finished
    /// It was too old.
    case expired
  }

  /// When, microseconds of simulated time.
  public let at: UInt64
  /// What.
  public let step: Step
  /// With which work.
  public let work: Work<Key, Payload>
}

extension DriverEvent: Equatable where Payload: Equatable {}
