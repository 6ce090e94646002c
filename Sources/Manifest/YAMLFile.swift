import Yams

/// Cuts a file into documents and reads each, so that an error in one does not hide those in others.
///
/// A line that begins with `---` or `...` ends a document wherever it stands, even within quotes (YAML 1.2.2,
/// section 9.1.4), so cutting by lines is exact.
struct YAMLFile {
  let errors: YAMLErrors
  private var nodesLeft = Limits.nodesPerFile

  init(errors: YAMLErrors) { self.errors = errors }

  /// The documents that are not empty, in order; what is no YAML lands in `errors`.
  mutating func documents(of text: String) -> [YAMLValue] {
    guard text.utf8.count <= Limits.bytesPerFile else {
      errors.add("is larger than \(Limits.bytesPerFile >> 20) MiB; split it", at: .start)
      return []
    }
    let parts = YAMLPart.parts(of: text)
    guard parts.count <= Limits.documentsPerFile else {
      errors.add("has more than \(Limits.documentsPerFile) documents; split it", at: .start)
      return []
    }
    var documents: [YAMLValue] = []
    for part in parts {
      guard let document = read(part) else { continue }
      documents.append(document)
      if nodesLeft <= 0 { break }
    }
    return documents
  }

  private mutating func read(_ part: YAMLPart) -> YAMLValue? {
    var keys = YAMLKeyScan()
    if let place = keys.offence(in: part.text) {
      errors.add(
        "next to aliases, a key must be plain text", at: part.position(line: place.line, column: place.column)
      )
      return nil
    }
    let node: Node?
    do {
      // `basic` takes every scalar for text; what it means is judged by who reads it.
      node = try Parser(yaml: part.text, resolver: .basic, encoding: .utf8).nextRoot()
    } catch let error as YamlError {
      report(error, in: part)
      return nil
    } catch {
      errors.add("is no YAML: \(error)", at: part.position(line: 1, column: 1))
      return nil
    }
    guard let node else { return nil }
    let before = errors.count
    let value = convert(node, path: "", depth: 0, of: part)
    // What was left out would be reported as missing.
    guard errors.count == before, let value, !value.isNull else { return nil }
    return value
  }

  private mutating func convert(_ node: Node, path: String, depth: Int, of part: YAMLPart) -> YAMLValue? {
    let position = part.position(node.mark)
    guard nodesLeft > 0 else { return nil }
    nodesLeft -= 1
    if nodesLeft == 0 {
      errors.add(
        "the file has more than \(Limits.nodesPerFile) values, aliases counted; split it", at: position)
      return nil
    }
    guard depth <= Limits.depth else {
      errors.add("is nested more than \(Limits.depth) levels deep", at: position, path: path)
      return nil
    }
    let content: YAMLValue.Content?
    switch node {
    case .scalar(let scalar):
      guard node.tag == Tag(.str) else {
        errors.add("tags such as !!int are not understood; leave it out", at: position, path: path)
        return nil
      }
      content = .scalar(scalar.string, isPlain: scalar.style == .plain)
    case .sequence(let sequence):
      content = .sequence(elements(sequence, path: path, depth: depth, of: part))
    case .mapping(let mapping):
      content = .mapping(entries(mapping, path: path, depth: depth, of: part))
    case .alias:
      content = nil
    }
    return content.map { YAMLValue(path: path, position: position, content: $0) }
  }

  private mutating func elements(
    _ sequence: Node.Sequence, path: String, depth: Int, of part: YAMLPart
  ) -> [YAMLValue] {
    var elements: [YAMLValue] = []
    for (index, node) in sequence.enumerated() {
      guard let value = convert(node, path: "\(path)[\(index)]", depth: depth + 1, of: part) else { continue }
      elements.append(value)
    }
    return elements
  }

  private mutating func entries(
    _ mapping: Node.Mapping, path: String, depth: Int, of part: YAMLPart
  ) -> [YAMLEntry] {
    var entries: [YAMLEntry] = []
    for (keyNode, valueNode) in mapping {
      let position = part.position(keyNode.mark)
      guard case .scalar(let scalar) = keyNode else {
        errors.add("a key must be text", at: position, path: path)
        continue
      }
      let below = path.isEmpty ? scalar.string : "\(path).\(scalar.string)"
      guard let value = convert(valueNode, path: below, depth: depth + 1, of: part) else { continue }
      entries.append(YAMLEntry(key: scalar.string, position: position, value: value))
    }
    return entries
  }

  private func report(_ error: YamlError, in part: YAMLPart) {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let text = context.map { "\($0.text) (line \(part.position($0.mark).line)): \(problem)" } ?? problem
      errors.add("is no YAML: \(text)", at: part.position(mark))
    case .reader(let problem, let offset, _, _):
      errors.add("is no YAML: \(problem)", at: part.position(offset: offset ?? 0))
    case .duplicatedKeysInMapping(let keys, let context):
      let first = part.position(context.mark)
      for key in keys {
        let again = part.repetition(of: key, after: context.mark)
        errors.add("the key is there twice, first in line \(first.line)", at: again ?? first, path: key)
      }
    default:
      errors.add("is no YAML: \(error)", at: part.position(line: 1, column: 1))
    }
  }
}
