/// Columns of text, each as wide as its widest cell.
public struct TextTable: Sendable {
  private var rows: [[String]]

  /// Begins with the headings.
  public init(_ headings: [String]) { rows = [headings] }

  /// Adds a row of as many cells.
  public mutating func add(_ cells: [String]) { rows.append(cells) }

  /// The table, each line ended.
  public var text: String {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    return rows.map { row in
      var line = ""
      for (column, cell) in row.enumerated() {
        line += cell
        if column < row.count - 1 { line += String(repeating: " ", count: widths[column] - cell.count + 2) }
      }
      return line + "\n"
    }.joined()
  }
}
