import Control

/// Reads manifests: whole or not at all.
public struct ManifestReader {
  private var resources: [LocatedResource] = []
  private var errors: [ManifestError] = []
  private var seen: [ResourceKey: LocatedResource] = [:]

  /// Begins without resources.
  public init() {}

  /// Reads one file.
  ///
  /// - Throws: everything that is wrong with it.
  public static func read(_ text: String, file: String) throws(ManifestErrors) -> [LocatedResource] {
    var reader = ManifestReader()
    reader.add(text, file: file)
    return try reader.finish()
  }

  /// Reads one of several files that belong together.
  public mutating func add(_ text: String, file: String) {
    let found = YAMLErrors(file: file)
    var documents = YAMLFile(errors: found)
    for document in documents.documents(of: text) {
      let before = found.count
      guard let resource = ResourceReader(errors: found).read(document) else { continue }
      let located = LocatedResource(resource: resource, file: file, positions: Self.positions(in: document))
      if let first = seen[resource.key] {
        let place = located.position(of: "metadata.name")
        let line = first.position(of: "metadata.name").line
        found.add(
          "\(resource.key) is there twice, first in \(first.file):\(line)", at: place, path: "metadata.name")
      }
      seen[resource.key] = seen[resource.key] ?? located
      if found.count == before { resources.append(located) }
    }
    errors += found.all
  }

  /// The resources of all files, in order.
  ///
  /// - Throws: everything that is wrong with any of them.
  public func finish() throws(ManifestErrors) -> [LocatedResource] {
    guard errors.isEmpty else { throw ManifestErrors(errors) }
    return resources
  }

  private static func positions(in document: YAMLValue) -> [String: SourcePosition] {
    var positions: [String: SourcePosition] = [:]
    var left = [document]
    while let value = left.popLast() {
      positions[value.path] = value.position
      switch value.content {
      case .scalar: break
      case .sequence(let elements): left += elements
      case .mapping(let entries): left += entries.map(\.value)
      }
    }
    return positions
  }
}
