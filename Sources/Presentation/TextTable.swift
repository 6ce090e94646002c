/// Columns of text under headings, as wide as their longest cell, without blanks at the end of a line.
public struct TextTable: Hashable, Sendable {
  /// The headings.
  public let headings: [String]
  /// The rows, each as long as the headings.
  public private(set) var rows: [[String]] = []

  /// Begins a table.
  public init(_ headings: [String]) { self.headings = headings }

  /// Adds a row; an empty cell becomes `-`, so that columns can be counted.
  public mutating func add(_ cells: [String]) {
    precondition(cells.count == headings.count, "a row of another table")
    rows.append(cells.map { $0.isEmpty ? "-" : $0 })
  }

  /// The lines of the table; the headings alone when there are no rows.
  ///
  /// - Parameter indentation: blanks before each line.
  /// - Returns: lines that each end with a line feed.
  public func text(indentation: Int = 0) -> String {
    let lines = [headings] + rows
    let widths = headings.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    let before = String(repeating: " ", count: indentation)
    return lines.map { cells in
      let padded = zip(cells, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }
      let line = padded.joined(separator: "   ")
      return before + String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }
}
