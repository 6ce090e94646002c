import Testing

/// Limits that keep files and functions readable, from the first commit on.
struct SizeTests {
  static let linesPerFile = 400
  static let linesPerFunction = 60

  static func written() throws -> [SourceFile] {
    try (SourceTree.files(below: "Sources") + SourceTree.files(below: "Tests")).filter { !$0.isGenerated }
  }

  @Test("files stay under 400 lines")
  func files() throws {
    let files = try Self.written()
    #expect(files.count > 50)
    for file in files {
      #expect(file.lines.count <= Self.linesPerFile, "\(file) has \(file.lines.count) lines")
    }
  }

  @Test("functions stay under 60 lines")
  func functions() throws {
    var seen = 0
    for file in try Self.written() {
      for (name, first, count) in Self.functions(of: file) {
        seen += 1
        #expect(count <= Self.linesPerFunction, "\(file):\(first): \(name) has \(count) lines")
      }
    }
    #expect(seen > 300)
  }

  @Test("the measure of functions sees a long one")
  func measureCanFail() {
    let body = (1...61).map { "    let x\($0) = \($0)" }
    let file = SourceFile(path: "Sources/X/X.swift", lines: ["  func long() {"] + body + ["  }"])
    #expect(Self.functions(of: file).map(\.lines) == [63])
  }

  /// Functions with bodies of several lines; the formatter puts the closing brace below the first letter.
  static func functions(of file: SourceFile) -> [(name: String, first: Int, lines: Int)] {
    var found: [(name: String, first: Int, lines: Int)] = []
    for (index, line) in file.lines.enumerated() {
      guard let match = line.firstMatch(of: #/^(\s*)[^/".]*\b(func\s+\S+|init[?(<]|deinit|subscript\()/#)
      else {
        continue
      }
      let closing = match.1 + "}"
      guard let end = file.lines[(index + 1)...].firstIndex(where: { $0 == closing }),
        !file.lines[index].hasSuffix("}")
      else { continue }
      found.append((String(match.2), index + 1, end - index + 1))
    }
    return found
  }
}
