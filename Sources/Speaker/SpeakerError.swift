/// Why a speaker cannot start.
public struct SpeakerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of failure.
  public enum Code: Hashable, Sendable {
    /// A value of the configuration is out of its range.
    case configuration
    /// `start` was called twice, or after `stop`.
    case alreadyStarted
    /// The system has no descriptor or thread left.
    case system
  }

  /// The kind of failure.
  public let code: Code
  /// A sentence that says what is wrong and what to do.
  public let description: String

  init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }
}
