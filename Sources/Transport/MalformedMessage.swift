/// A message of the peer that says what no value of ours can say.
public struct MalformedMessage: Error, Hashable, Sendable {
  /// The field: `operation.apply.resources[3].service.vip`.
  public var field: String
  /// What is wrong with it.
  public var reason: String

  /// Describes a message.
  public init(field: String, reason: String) {
    self.field = field
    self.reason = reason
  }

  /// The same within an outer field.
  func within(_ outer: String) -> MalformedMessage {
    let separator = field.isEmpty || field.hasPrefix("[") ? "" : "."
    return MalformedMessage(field: outer + separator + field, reason: reason)
  }
}

extension MalformedMessage: CustomStringConvertible {
  /// `vip: is missing`.
  public var description: String { "malformed message: \(field): \(reason)" }
}
