/// Reads files that hold exactly one document: configurations, topologies.
public enum YAMLDocument {
  /// Reads the document of a file.
  ///
  /// - Throws: everything that is wrong with it.
  public static func read<Value>(
    _ text: String, file: String, as type: YAMLType<Value>
  ) throws(ManifestErrors) -> Value {
    let errors = YAMLErrors(file: file)
    var yaml = YAMLFile(errors: errors)
    let documents = yaml.documents(of: text)
    if documents.isEmpty, errors.isEmpty {
      errors.add("is empty; it must be \(type.expects)", at: .start)
    }
    if documents.count > 1 {
      errors.add("a second document begins; one is expected", at: documents[1].position)
    }
    try errors.throwIfAny()
    let value = documents.first.flatMap { type.read($0, errors) }
    try errors.throwIfAny()
    guard let value else {
      throw ManifestErrors([
        ManifestError(file: file, position: .start, path: "", reason: "must be \(type.expects)")
      ])
    }
    return value
  }
}
