import ArgumentParser
import Foundation

/// Where this program writes.
enum Terminal {
  /// To standard output; a reader that has gone away ends the program quietly, as it does `cat`.
  static func out(_ text: String) { write(text, to: .standardOutput) }

  /// To standard error.
  static func err(_ text: String) { write(text, to: .standardError) }

  /// Ends the program with a sentence on standard error.
  static func fail(_ text: String, code: Int32) -> ExitCode {
    err("ananta-ctl: \(text)\n")
    return ExitCode(code)
  }

  private static func write(_ text: String, to handle: FileHandle) {
    do {
      try handle.write(contentsOf: Data(text.utf8))
    } catch {
      exit(1)
    }
  }
}
