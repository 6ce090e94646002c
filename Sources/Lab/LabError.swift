/// Why the lab could not do what it was asked.
public struct LabError: Error, Hashable, Sendable {
  /// Of what sort the trouble is.
  public enum Code: String, Hashable, Sendable {
    /// The topology is wrong; the sentence names file and line.
    case topology
    /// Root is needed.
    case privilege
    /// A program or a device that the lab needs is not there.
    case missing
    /// A lab or a namespace of that name is there already.
    case taken
    /// No such lab, node or VM.
    case unknown
    /// An external command failed.
    case command
    /// Something did not happen in time.
    case timeout
    /// The lab's own files cannot be read or written.
    case state
  }
  /// Of what sort the trouble is.
  public let code: Code
  /// One sentence for an operator: what is wrong and what to do.
  public let reason: String

  /// Joins the two.
  public init(_ code: Code, _ reason: String) {
    self.code = code
    self.reason = reason
  }
}

extension LabError: CustomStringConvertible {
  /// The sentence.
  public var description: String { reason }
}
