/// What the verifier wrote about a program it refused.
struct VerifierLog {
  /// The last lines, without the statistics at the end.
  let lines: [Substring]
  /// The instruction it stopped at, if the log names one.
  let instruction: Int?

  init(_ text: String) {
    var lines = text.split(separator: "\n")
    while let last = lines.last, Self.isStatistics(last) { lines.removeLast() }
    self.lines = lines.suffix(Limits.verifierLogLines)
    instruction = lines.reversed().lazy.compactMap(Self.instruction).first
  }

  private static func isStatistics(_ line: Substring) -> Bool {
    ["processed ", "verification time ", "stack depth "].contains { line.hasPrefix($0) }
  }

  /// The number before an instruction: `12: (71) r1 = *(u8 *)(r2 +0)`.
  private static func instruction(_ line: Substring) -> Int? {
    guard let colon = line.firstIndex(of: ":"), line[colon...].hasPrefix(": (") else { return nil }
    return Int(line[..<colon])
  }
}
