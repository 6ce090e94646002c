/// Data to be written as YAML or JSON, with its keys in the order in which they are to be read.
public indirect enum StructuredValue: Hashable, Sendable {
  /// Text; quoted where it would be taken for something else.
  case text(String)
  /// A whole number.
  case integer(Int)
  /// A counter.
  case counter(UInt64)
  /// True or false.
  case boolean(Bool)
  /// Nothing: `null`.
  case null
  /// A list.
  case list([StructuredValue])
  /// A mapping.
  case mapping([StructuredField])

  /// A mapping of keys and values.
  public static func fields(_ fields: (String, StructuredValue)...) -> StructuredValue {
    .mapping(fields.map { StructuredField(key: $0.0, value: $0.1) })
  }

  /// A list of texts.
  public static func texts(_ texts: [String]) -> StructuredValue { .list(texts.map { .text($0) }) }

  /// The same mapping with one more field; other values stay as they are.
  public func adding(_ key: String, _ value: StructuredValue?) -> StructuredValue {
    guard case .mapping(let fields) = self, let value else { return self }
    return .mapping(fields + [StructuredField(key: key, value: value)])
  }
}

/// A key and its value.
public struct StructuredField: Hashable, Sendable {
  /// The key.
  public let key: String
  /// Its value.
  public let value: StructuredValue

  /// Joins key and value.
  public init(key: String, value: StructuredValue) {
    self.key = key
    self.value = value
  }
}

extension StructuredValue {
  /// Block YAML that ends with a line feed.
  public var yaml: String {
    var text = ""
    writeYAML(to: &text, indentation: 0, isAfterDash: false)
    return text
  }

  /// JSON (RFC 8259), indented by two, that ends with a line feed.
  public var json: String {
    var text = ""
    writeJSON(to: &text, indentation: 0)
    return text + "\n"
  }

  private func writeYAML(to text: inout String, indentation: Int, isAfterDash: Bool) {
    let spaces = String(repeating: " ", count: indentation)
    switch self {
    case .mapping(let fields) where !fields.isEmpty:
      for (index, field) in fields.enumerated() {
        if index > 0 || !isAfterDash { text += spaces }
        text += "\(Self.yamlScalar(field.key)):"
        switch field.value {
        case .mapping(let inner) where !inner.isEmpty:
          text += "\n"
          field.value.writeYAML(to: &text, indentation: indentation + 2, isAfterDash: false)
        case .list(let inner) where !inner.isEmpty:
          text += "\n"
          field.value.writeYAML(to: &text, indentation: indentation, isAfterDash: false)
        default: text += " \(field.value.yamlLeaf)\n"
        }
      }
    case .list(let elements) where !elements.isEmpty:
      for element in elements {
        text += spaces + "- "
        element.writeYAML(to: &text, indentation: indentation + 2, isAfterDash: true)
      }
    default: text += (isAfterDash ? "" : spaces) + yamlLeaf + "\n"
    }
  }

  private var yamlLeaf: String {
    switch self {
    case .text(let text): Self.yamlScalar(text)
    case .integer(let number): "\(number)"
    case .counter(let number): "\(number)"
    case .boolean(let value): "\(value)"
    case .null: "null"
    case .list: "[]"
    case .mapping: "{}"
    }
  }

  /// A scalar that is read as the same text.
  static func yamlScalar(_ text: String) -> String {
    let isSafe =
      YAMLScalar(text) == .text && text.utf8.first.map(isWord) == true && text.utf8.last != UInt8(ascii: ":")
      && text.utf8.allSatisfy { isWord($0) || "-._:".utf8.contains($0) }
    guard !isSafe else { return text }
    return quoted(text) { number in
      let digits = String(number, radix: 16)
      return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
    }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "/"):
      true
    default: false
    }
  }

  private func writeJSON(to text: inout String, indentation: Int) {
    let spaces = String(repeating: " ", count: indentation + 2)
    let end = "\n" + String(repeating: " ", count: indentation)
    switch self {
    case .mapping(let fields) where !fields.isEmpty:
      text += "{"
      for (index, field) in fields.enumerated() {
        text += (index == 0 ? "\n" : ",\n") + spaces + Self.jsonString(field.key) + ": "
        field.value.writeJSON(to: &text, indentation: indentation + 2)
      }
      text += end + "}"
    case .list(let elements) where !elements.isEmpty:
      text += "["
      for (index, element) in elements.enumerated() {
        text += (index == 0 ? "\n" : ",\n") + spaces
        element.writeJSON(to: &text, indentation: indentation + 2)
      }
      text += end + "]"
    case .text(let string): text += Self.jsonString(string)
    default: text += yamlLeaf
    }
  }

  private static func jsonString(_ text: String) -> String {
    quoted(text) { number in
      let units = String(Character(Unicode.Scalar(number) ?? "?")).utf16
      return units.map { unit in
        let digits = String(unit, radix: 16)
        return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }.joined()
    }
  }

  /// Text in double quotes; YAML and JSON differ only in how they write what is not visible ASCII.
  private static func quoted(_ text: String, _ escape: (UInt32) -> String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\n": quoted += "\\n"
      case _ where (32..<127).contains(scalar.value): quoted.unicodeScalars.append(scalar)
      default: quoted += escape(scalar.value)
      }
    }
    return quoted + "\""
  }
}
