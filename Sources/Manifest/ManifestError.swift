/// Something in a YAML file that is not as it must be.
public struct ManifestError: Error, Hashable, Sendable {
  /// As it was given by the user; `-` is standard input.
  public var file: String
  /// Where in the file.
  public var position: SourcePosition
  /// Where in the document: `spec.endpoints[0].port`; empty when the text is no YAML.
  public var path: String
  /// What is wrong and what would be right.
  public var reason: String

  /// Describes an error.
  public init(file: String, position: SourcePosition, path: String, reason: String) {
    self.file = file
    self.position = position
    self.path = path
    self.reason = reason
  }
}

extension ManifestError: CustomStringConvertible {
  /// One line: `blue.yaml:12:9: spec.endpoints[0].port: reason`.
  public var description: String {
    path.isEmpty ? "\(file):\(position): \(reason)" : "\(file):\(position): \(path): \(reason)"
  }
}

/// All that is wrong with one or several files, in the order of the text.
public struct ManifestErrors: Error, Hashable, Sendable {
  /// Never empty.
  public var errors: [ManifestError]

  /// Joins errors.
  public init(_ errors: [ManifestError]) { self.errors = errors }
}

extension ManifestErrors: CustomStringConvertible {
  /// One line for each error.
  public var description: String { errors.map(\.description).joined(separator: "\n") }
}
