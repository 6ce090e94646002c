/// Reads a mapping key by key and, at the end, reports the keys nobody asked for.
///
/// A reader asks for every key it knows, calls `finish()`, and only then looks whether it got all it needs: so the
/// author of the file sees all errors at once. What could not be read is nil, and then an error has been reported.
public struct YAMLMapping {
  /// The mapping itself.
  public let value: YAMLValue
  /// Where errors go.
  public let errors: YAMLErrors
  private let entries: [YAMLEntry]
  private var known: [String] = []

  /// Fails, with an error reported, when the value is no mapping.
  public init?(_ value: YAMLValue, errors: YAMLErrors) {
    guard case .mapping(let entries) = value.content else {
      errors.add("must be a mapping, not \(value.sort)", at: value)
      return nil
    }
    self.value = value
    self.errors = errors
    self.entries = entries
  }

  /// Whether the key is there and has a value.
  public func has(_ key: String) -> Bool {
    entries.contains { $0.key == key && !$0.value.isNull }
  }

  /// Where the value of a key begins; without the key, where the mapping does.
  public func position(of key: String) -> SourcePosition {
    entries.first { $0.key == key }?.value.position ?? value.position
  }

  /// Reads a key that must be there.
  public mutating func required<Value>(_ key: String, as type: YAMLType<Value>) -> Value? {
    guard let found = take(key) else {
      errors.add("is missing; it must be \(type.expects)", at: value.position, path: value.path(of: key))
      return nil
    }
    return type.read(found, errors)
  }

  /// Reads a key that may be missing.
  public mutating func optional<Value>(_ key: String, as type: YAMLType<Value>) -> Value? {
    take(key).flatMap { type.read($0, errors) }
  }

  /// Reads a key that has a default.
  public mutating func optional<Value>(
    _ key: String, as type: YAMLType<Value>, default fallback: Value
  ) -> Value {
    optional(key, as: type) ?? fallback
  }

  /// Takes a key for known without reading it.
  public mutating func skip(_ key: String) { known.append(key) }

  /// Reports every key that was not asked for.
  public mutating func finish() {
    for entry in entries where !known.contains(entry.key) {
      let guess = Similarity.nearest(to: entry.key, among: known.filter { !has($0) })
      let reason =
        if entry.key == "<<" {
          "merge keys are not understood; write the keys out"
        } else if let guess {
          "unknown key; did you mean \(guess)?"
        } else {
          "unknown key; known are \(known.sorted().joined(separator: ", "))"
        }
      errors.add(reason, at: entry.position, path: value.path(of: entry.key))
    }
  }

  private mutating func take(_ key: String) -> YAMLValue? {
    known.append(key)
    return entries.first { $0.key == key }.flatMap { $0.value.isNull ? nil : $0.value }
  }
}
