/// Writes block YAML with keys in the order in which they are given.
struct YAMLText {
  private(set) var text = ""
  private var indentation = 0
  private var isAfterDash = false

  /// Writes `key: value`, in quotes where YAML would take the value for something else than text.
  mutating func pair(_ key: String, _ value: String) { line("\(key): \(Self.scalar(value))") }

  /// Writes `key: 80` or `key: true`.
  mutating func pair(_ key: String, bare value: String) { line("\(key): \(value)") }

  /// Writes a mapping below a key.
  mutating func mapping(_ key: String, _ body: (inout YAMLText) -> Void) {
    line("\(key):")
    indentation += 2
    body(&self)
    indentation -= 2
  }

  /// Writes a list of texts below a key.
  mutating func list(_ key: String, _ values: [String]) {
    guard !values.isEmpty else { return line("\(key): []") }
    line("\(key):")
    for value in values { line("- \(Self.scalar(value))") }
  }

  /// Writes a list of mappings below a key.
  mutating func list<Element>(_ key: String, _ values: [Element], _ body: (inout YAMLText, Element) -> Void) {
    guard !values.isEmpty else { return line("\(key): []") }
    line("\(key):")
    for value in values {
      isAfterDash = true
      indentation += 2
      body(&self, value)
      indentation -= 2
      isAfterDash = false
    }
  }

  private mutating func line(_ content: String) {
    let spaces = String(repeating: " ", count: isAfterDash ? indentation - 2 : indentation)
    text += spaces + (isAfterDash ? "- " : "") + content + "\n"
    isAfterDash = false
  }

  /// A scalar that is read as the same text.
  static func scalar(_ text: String) -> String {
    let isSafe =
      YAMLScalar(text) == .text && text.utf8.first.map(isLetterOrDigitOrSlash) == true
      && text.utf8.allSatisfy { isLetterOrDigitOrSlash($0) || "-._:".utf8.contains($0) } && text.utf8.last != 58
    guard !isSafe else { return text }
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case "\n": quoted += "\\n"
      case _ where (32..<127).contains(scalar.value): quoted.unicodeScalars.append(scalar)
      default:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
      }
    }
    return quoted + "\""
  }

  private static func isLetterOrDigitOrSlash(_ byte: UInt8) -> Bool {
    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 47
  }
}
