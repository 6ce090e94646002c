/// A duration as manifests have it: a whole number and a unit, `500ms`, `2s`, `4m`, `1h`.
public enum DurationText {
  /// The milliseconds that a text means; nil when it is none or longer than a day.
  public static func milliseconds(_ text: String) -> Int? {
    let digits = text.prefix { $0 >= "0" && $0 <= "9" }
    guard !digits.isEmpty, digits.count <= 9, let number = Int(digits) else { return nil }
    let unit: Int
    switch text.dropFirst(digits.count) {
    case "ms": unit = 1
    case "s": unit = 1000
    case "m": unit = 60_000
    case "h": unit = 3_600_000
    default: return nil
    }
    let milliseconds = number * unit
    return milliseconds <= Limits.longestDurationMilliseconds ? milliseconds : nil
  }

  /// The text with the largest unit that leaves a whole number.
  public static func text(milliseconds: Int) -> String {
    let units = [(3_600_000, "h"), (60_000, "m"), (1000, "s")]
    for (unit, name) in units where milliseconds != 0 && milliseconds % unit == 0 {
      return "\(milliseconds / unit)\(name)"
    }
    return "\(milliseconds)ms"
  }
}
