public import Control

/// A resource and the text it was read from.
public struct LocatedResource: Sendable {
  /// What the document describes.
  public let resource: Resource
  /// The file, as the user named it.
  public let file: String
  /// For each path of the document, where its value begins.
  public let positions: [String: SourcePosition]

  /// Joins a resource and its places.
  public init(resource: Resource, file: String, positions: [String: SourcePosition]) {
    self.resource = resource
    self.file = file
    self.positions = positions
  }

  /// Where a path stands; for a path that was not written, where the nearest mapping or list around it begins.
  public func position(of path: String) -> SourcePosition {
    var path = path[...]
    while true {
      if let position = positions[String(path)] { return position }
      guard let cut = path.lastIndex(where: { $0 == "." || $0 == "[" }) else {
        return positions[""] ?? .start
      }
      path = path[..<cut]
    }
  }

  /// A manager's finding about this resource, at its place in the file.
  public func error(_ finding: Finding) -> ManifestError {
    ManifestError(
      file: file, position: position(of: finding.path), path: finding.path, reason: finding.reason)
  }
}
