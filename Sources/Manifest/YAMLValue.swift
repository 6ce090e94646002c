/// A piece of a YAML document that knows where it stands.
public struct YAMLValue: Sendable {
  /// What it is.
  public enum Content: Sendable {
    /// Text; `isPlain` when it was written without quotes and so could also be a number or a boolean.
    case scalar(String, isPlain: Bool)
    /// A list.
    case sequence([YAMLValue])
    /// Keys and values in the order of the text, each key once.
    case mapping([YAMLEntry])
  }

  /// `spec.endpoints[0]`; empty for the document.
  public let path: String
  /// Where it begins.
  public let position: SourcePosition
  /// What it is.
  public let content: Content

  /// Describes a value.
  public init(path: String, position: SourcePosition, content: Content) {
    self.path = path
    self.position = position
    self.content = content
  }

  /// Whether nothing was written: `key:`, `~` or `null`.
  public var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return text.isEmpty || text == "~" || text == "null"
  }

  /// What it is, for sentences: `a mapping`, `text`.
  public var sort: String {
    switch content {
    case .sequence: "a list"
    case .mapping: "a mapping"
    case .scalar where isNull: "nothing"
    case .scalar(let text, let isPlain): isPlain ? YAMLScalar(text).sort : "text"
    }
  }

  /// The path of a key below this value.
  public func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}

/// A key of a mapping and its value.
public struct YAMLEntry: Sendable {
  /// The key.
  public let key: String
  /// Where the key begins.
  public let position: SourcePosition
  /// Its value.
  public let value: YAMLValue

  /// Joins a key and its value.
  public init(key: String, position: SourcePosition, value: YAMLValue) {
    self.key = key
    self.position = position
    self.value = value
  }
}

/// What an unquoted scalar means (YAML 1.2.2, section 10.3.2, and what people still write from YAML 1.1).
enum YAMLScalar: Hashable {
  case null, boolean, integer, float, text

  private static let nulls: Set = ["~", "null", "Null", "NULL"]
  private static let booleans: Set = [
    "true", "True", "TRUE", "false", "False", "FALSE", "yes", "Yes", "YES", "no", "No", "NO", "on", "On",
    "ON",
    "off", "Off", "OFF",
  ]

  /// Judges the text.
  init(_ text: String) {
    if text.isEmpty || Self.nulls.contains(text) {
      self = .null
    } else if Self.booleans.contains(text) {
      self = .boolean
    } else if Self.isInteger(text) {
      self = .integer
    } else if Self.isFloat(text) {
      self = .float
    } else {
      self = .text
    }
  }

  /// For sentences.
  var sort: String {
    switch self {
    case .null: "nothing"
    case .boolean: "a boolean"
    case .integer: "a whole number"
    case .float: "a number"
    case .text: "text"
    }
  }

  private static func isInteger(_ text: String) -> Bool {
    let digits = unsigned(text)
    if digits.hasPrefix("0x") { return digits.dropFirst(2).allSatisfy(\.isHexDigit) && digits.count > 2 }
    if digits.hasPrefix("0o") { return digits.dropFirst(2).allSatisfy(isDigit) && digits.count > 2 }
    return !digits.isEmpty && digits.allSatisfy(isDigit)
  }

  private static func isFloat(_ text: String) -> Bool {
    let number = unsigned(text).lowercased()
    if number == ".inf" || number == ".nan" { return true }
    let parts = number.split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
    let mantissa = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard mantissa.contains(where: { !$0.isEmpty }), mantissa.allSatisfy({ $0.allSatisfy(isDigit) }) else {
      return false
    }
    return parts.count == 1 || isInteger(String(parts[1]))
  }

  private static func unsigned(_ text: String) -> Substring {
    text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
  }

  private static func isDigit(_ character: Character) -> Bool { character >= "0" && character <= "9" }
}
