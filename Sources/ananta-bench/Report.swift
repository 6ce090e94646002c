import Foundation

/// Prints measurements.
enum Report {
  /// One line each.
  static func table(_ results: [Measurement]) {
    let width = results.map(\.name.count).max() ?? 0
    write("measurement".padded(to: width) + "      median       least  unit")
    for result in results {
      let numbers = [result.median, result.least].map { String(format: "%12.1f", $0) }
      write(result.name.padded(to: width) + numbers.joined() + "  " + result.unit)
    }
  }

  /// An array of objects.
  static func json(_ results: [Measurement]) throws {
    struct Row: Encodable {
      var name: String
      var unit: String
      var median: Double
      var least: Double
      var rounds: [Double]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let rows = results.map {
      Row(name: $0.name, unit: $0.unit, median: $0.median, least: $0.least, rounds: $0.rounds)
    }
    write(String(decoding: try encoder.encode(rows), as: UTF8.self))
  }

  private static func write(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
