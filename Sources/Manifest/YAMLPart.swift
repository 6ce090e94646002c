import Yams

extension SourcePosition {
  /// The beginning of a file.
  static let start = SourcePosition(line: 1, column: 1)
}

/// The text of one document and where it begins in its file.
struct YAMLPart {
  let text: String
  /// Lines of the file before it.
  let linesBefore: Int

  /// Cuts a file before each line that begins with `---` and after each that begins with `...`.
  static func parts(of text: String) -> [YAMLPart] {
    var parts: [YAMLPart] = []
    var current = ""
    var (line, first) = (0, 0)
    func isMarker(_ text: Substring, _ marker: String) -> Bool {
      guard text.hasPrefix(marker) else { return false }
      return text.dropFirst(3).first.map { " \t\r".contains($0) } ?? true
    }
    func flush(_ next: Int) {
      if !isBlank(current) { parts.append(YAMLPart(text: current, linesBefore: first)) }
      current = ""
      first = next
    }
    // Split by bytes: for `Character`, CR LF is one and no separator.
    for bytes in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let content = Substring(bytes)
      if isMarker(content, "---") { flush(line) }
      if isMarker(content, "...") {
        flush(line + 1)
      } else {
        current += content
        current += "\n"
      }
      line += 1
    }
    flush(line)
    return parts
  }

  private static func isBlank(_ text: String) -> Bool {
    text.utf8.split(separator: UInt8(ascii: "\n")).allSatisfy { line in
      let first = line.first {
        $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") && $0 != UInt8(ascii: "\r")
      }
      return first.map { $0 == UInt8(ascii: "#") } ?? true
    }
  }

  func position(line: Int, column: Int) -> SourcePosition {
    SourcePosition(line: linesBefore + line, column: column)
  }

  func position(_ mark: Mark?) -> SourcePosition {
    mark.map { position(line: $0.line, column: $0.column) } ?? position(line: 1, column: 1)
  }

  func position(offset: Int) -> SourcePosition {
    var (line, column) = (1, 1)
    for scalar in text.prefix(offset).unicodeScalars {
      if scalar == "\n" {
        line += 1
        column = 1
      } else {
        column += 1
      }
    }
    return position(line: line, column: column)
  }

  /// Where a key stands again in the column in which it stood first.
  func repetition(of key: String, after mark: Mark) -> SourcePosition? {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated().dropFirst(mark.line) {
      let rest = line.unicodeScalars.dropFirst(mark.column - 1)
      let before = line.unicodeScalars.prefix(mark.column - 1)
      guard before.allSatisfy({ $0 == " " }), String(Substring(rest)).hasPrefix(key + ":") else { continue }
      return position(line: index + 1, column: mark.column)
    }
    return nil
  }
}
