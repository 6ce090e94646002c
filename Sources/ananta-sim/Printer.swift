import Foundation
import Simulator

/// What is printed.
enum Printer {
  /// A life's last events and its finding.
  static func show(_ verdict: Simulation.Verdict) {
    for line in verdict.trace { write("  \(line)") }
    let digest = String(verdict.digest, radix: 16)
    write("seed \(verdict.seed): \(verdict.finding?.description ?? "nothing found") (digest \(digest))")
  }

  /// What happened in all lives: whoever sees that nothing was found should see that something was tried.
  static func summarize(_ tally: Tally, took duration: Duration) {
    let columns = 3
    let cells = Occurrence.allCases.map { occurrence in
      pad(occurrence.name, 26) + padLeft(grouped(tally.counts[occurrence]), 13)
    }
    for start in stride(from: 0, to: cells.count, by: columns) {
      write(cells[start..<min(start + columns, cells.count)].joined(separator: "   "))
    }
    let seconds = max(1, Int(duration.components.seconds))
    let hours = tally.milliseconds / 3_600_000
    write("")
    write(
      "\(grouped(tally.lives)) lives of \(grouped(hours)) simulated hours in \(seconds) s, digest "
        + String(tally.digest, radix: 16))
    if tally.findings.isEmpty {
      write("nothing found")
    } else {
      let seeds = tally.findings.sorted().map(String.init).joined(separator: ", ")
      write(
        "\(tally.findings.count) found, by seeds \(seeds); see one again with --first-seed S --seeds 1 --trace"
      )
    }
  }

  /// `1,234,567`.
  static func grouped(_ number: Int) -> String {
    let digits = String(number)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text += "," }
      text.append(digit)
    }
    return text
  }

  private static func write(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  private static func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private static func padLeft(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}
