/// Collects what is wrong with one file, so that its author learns everything at once.
public final class YAMLErrors {
  /// The name that errors bear.
  public let file: String
  private var found: [ManifestError] = []
  private var suppressed = 0

  /// Begins without errors.
  public init(file: String) { self.file = file }

  /// Whether nothing is wrong so far.
  public var isEmpty: Bool { found.isEmpty }

  /// How many errors there are so far.
  public var count: Int { found.count + suppressed }

  /// Adds an error; of very many only the first are kept.
  public func add(_ reason: String, at position: SourcePosition, path: String = "") {
    guard found.count < Limits.errorsPerFile else {
      suppressed += 1
      return
    }
    found.append(ManifestError(file: file, position: position, path: path, reason: reason))
  }

  /// Adds an error about a value.
  public func add(_ reason: String, at value: YAMLValue) {
    add(reason, at: value.position, path: value.path)
  }

  /// All errors in the order of the text.
  public var all: [ManifestError] {
    let sorted = found.sorted { ($0.position, $0.path) < ($1.position, $1.path) }
    guard suppressed > 0, let last = sorted.last else { return sorted }
    let more = ManifestError(
      file: file, position: last.position, path: "", reason: "\(suppressed) more errors are not shown")
    return sorted + [more]
  }

  /// Throws unless nothing is wrong.
  public func throwIfAny() throws(ManifestErrors) {
    guard isEmpty else { throw ManifestErrors(all) }
  }
}
