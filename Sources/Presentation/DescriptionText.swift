/// Facts under one another with their values in one column, and tables below.
struct DescriptionText {
  private(set) var text = ""

  /// Where values begin, counted from the start of the line.
  private static let column = 16

  /// A line `Name:  value`; none without a value.
  mutating func fact(_ name: String, _ value: String?, indentation: Int = 0) {
    guard let value, !value.isEmpty else { return }
    let label = String(repeating: " ", count: indentation) + name + ":"
    text += label + String(repeating: " ", count: max(1, Self.column - label.count)) + value + "\n"
  }

  /// A line that begins a part.
  mutating func heading(_ name: String) { text += "\(name):\n" }

  /// A table under its name; none without rows.
  mutating func table(_ name: String, _ table: TextTable, indentation: Int = 0) {
    guard !table.rows.isEmpty else { return }
    text += String(repeating: " ", count: indentation) + "\(name):\n"
    text += table.text(indentation: indentation + 2)
  }
}
