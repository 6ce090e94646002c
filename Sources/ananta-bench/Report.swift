import Foundation

/// Prints measurements.
enum Report {
  /// One line each.
  static func table(_ results: [Measurement]) {
    let width = results.map(\.name.count).max() ?? 0
    write("measurement".padded(to: width) + "      median       least        most  unit")
    for result in results {
      let numbers = [result.median, result.least, result.most].map { String(format: "%12.1f", $0) }
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
      var most: Double
      var rounds: [Double]
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    let rows = results.map {
      Row(
        name: $0.name, unit: $0.unit, median: $0.median, least: $0.least, most: $0.most, rounds: $0.rounds)
    }
    write(String(decoding: try encoder.encode(rows), as: UTF8.self))
  }

  /// What could not be measured, to standard error.
  static func complain(_ sentence: String) { FileHandle.standardError.write(Data((sentence + "\n").utf8)) }

  private static func write(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }
}

extension String {
  fileprivate func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
