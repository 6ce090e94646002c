/// Reads the status line of an HTTP/1 answer (RFC 9112 §4) as its bytes come, and nothing behind it.
struct HTTPStatusReader: Sendable {
  enum Answer: Equatable {
    /// The line is not over yet.
    case incomplete
    case status(Int)
    /// It is not a status line.
    case nonsense
    /// It does not end.
    case endless
  }

  private var line: [UInt8] = []

  init() {}

  mutating func read(_ bytes: [UInt8]) -> Answer {
    for byte in bytes {
      guard byte != UInt8(ascii: "\n") else { return Self.status(of: line) }
      guard line.count < Limits.statusLineBytes else { return .endless }
      line.append(byte)
      // What cannot become right need not be waited for.
      guard Self.mayBegin(line) else { return .nonsense }
    }
    return .incomplete
  }

  private static let opening = Array("HTTP/1.".utf8)

  private static func mayBegin(_ line: [UInt8]) -> Bool {
    let count = min(line.count, opening.count)
    return line[..<count] == opening[..<count]
  }

  /// `HTTP/1.1 200 OK`, the phrase may be missing.
  private static func status(of line: [UInt8]) -> Answer {
    var line = line[...]
    if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
    guard line.count >= 12, mayBegin(Array(line)), isDigit(line[7]), line[8] == UInt8(ascii: " ") else {
      return .nonsense
    }
    let digits = line[9..<12]
    guard digits.allSatisfy(isDigit), line.count == 12 || line[12] == UInt8(ascii: " ") else {
      return .nonsense
    }
    return .status(digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) })
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }
}
