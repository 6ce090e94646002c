import Foundation

/// The program's standard output and standard error.
enum Console {
  /// Writes to standard output.
  static func write(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

  /// Writes a line to standard error.
  static func tell(_ line: String) { FileHandle.standardError.write(Data((line + "\n").utf8)) }

  /// Writes a value to standard output as JSON with sorted keys.
  static func write(json value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    write(String(decoding: try encoder.encode(value), as: UTF8.self) + "\n")
  }
}
