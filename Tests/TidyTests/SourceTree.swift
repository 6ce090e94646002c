import Foundation

/// A file of the repository, as the rules see it.
struct SourceFile: CustomStringConvertible {
  /// From the repository's root: `Sources/Wire/Frame.swift`.
  let path: String
  let lines: [String]

  var description: String { path }
  /// The folder below `Sources` or `Tests`.
  var target: String { String(path.split(separator: "/")[1]) }
  /// Written by protoc, whose taste is its own.
  var isGenerated: Bool { path.hasSuffix(".pb.swift") || path.hasSuffix(".grpc.swift") }

  /// Lines without comments and without what stands in string literals.
  var code: [(number: Int, text: String)] {
    lines.enumerated().compactMap { index, line in
      let bare = line.replacing(#/"(?:\\.|[^"\\])*"/#, with: "\"\"")
      let text = bare.split(separator: "//", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
      return text.allSatisfy(\.isWhitespace) ? nil : (index + 1, String(text))
    }
  }

  /// Names of the modules that the file imports.
  var imports: Set<String> {
    Set(
      code.compactMap {
        $0.text.firstMatch(
          of: #/^\s*(?:\w+ |@\w+(?:\(\w+\))? )*import (?:struct |class |enum |func )?(\w+)/#)?.1
      }.map(String.init))
  }
}

/// The repository this test was compiled from.
enum SourceTree {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// All Swift files below a folder, sorted by path.
  static func files(below folder: String) throws -> [SourceFile] {
    let base = root.appending(path: folder)
    let paths = FileManager.default.enumerator(atPath: base.path)?.compactMap { $0 as? String } ?? []
    return try paths.filter { $0.hasSuffix(".swift") }.sorted().map { path in
      let text = try String(contentsOf: base.appending(path: path), encoding: .utf8)
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      return SourceFile(path: folder + "/" + path, lines: lines)
    }
  }

  /// The folders directly below one.
  static func folders(below folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path).sorted()
  }

  /// A file's text.
  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }
}
