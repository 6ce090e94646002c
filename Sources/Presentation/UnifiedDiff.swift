/// The difference of two texts in the format of `diff -u`.
public enum UnifiedDiff {
  /// Lines around a change.
  private static let context = 3

  private struct Line {
    let mark: Character
    let text: Substring
  }

  /// The difference; empty when there is none.
  ///
  /// A text that is nil does not exist, as `diff -N` has it.
  public static func text(from old: String?, to new: String?, oldName: String, newName: String) -> String {
    guard old != new else { return "" }
    let script = script(lines(old), lines(new))
    var text = "--- \(old == nil ? "/dev/null" : oldName)\n+++ \(new == nil ? "/dev/null" : newName)\n"
    for hunk in hunks(script) { text += write(hunk, of: script) }
    return text
  }

  private static func lines(_ text: String?) -> [Substring] {
    guard let text, !text.isEmpty else { return [] }
    return (text.hasSuffix("\n") ? text.dropLast() : text[...]).split(
      separator: "\n", omittingEmptySubsequences: false)
  }

  /// Every line of both texts in order, each kept, removed or added.
  private static func script(_ old: [Substring], _ new: [Substring]) -> [Line] {
    let difference = new.difference(from: old)
    let removed = Set(difference.removals.map(offset))
    let added = Set(difference.insertions.map(offset))
    var script: [Line] = []
    var (i, j) = (0, 0)
    while i < old.count || j < new.count {
      if i < old.count, removed.contains(i) {
        script.append(Line(mark: "-", text: old[i]))
        i += 1
      } else if j < new.count, added.contains(j) {
        script.append(Line(mark: "+", text: new[j]))
        j += 1
      } else {
        script.append(Line(mark: " ", text: old[i]))
        (i, j) = (i + 1, j + 1)
      }
    }
    return script
  }

  private static func offset(_ change: CollectionDifference<Substring>.Change) -> Int {
    switch change {
    case .insert(let offset, _, _), .remove(let offset, _, _): offset
    }
  }

  /// Ranges of the script: changes with their surroundings, joined where these touch.
  private static func hunks(_ script: [Line]) -> [Range<Int>] {
    var hunks: [Range<Int>] = []
    for index in script.indices where script[index].mark != " " {
      let range = max(0, index - context)..<min(script.count, index + context + 1)
      if let last = hunks.last, range.lowerBound <= last.upperBound {
        hunks[hunks.count - 1] = last.lowerBound..<range.upperBound
      } else {
        hunks.append(range)
      }
    }
    return hunks
  }

  private static func write(_ hunk: Range<Int>, of script: [Line]) -> String {
    func position(_ other: Character) -> String {
      let before = script[..<hunk.lowerBound].count { $0.mark != other }
      let length = script[hunk].count { $0.mark != other }
      let start = length == 0 ? before : before + 1
      return length == 1 ? "\(start)" : "\(start),\(length)"
    }
    let head = "@@ -\(position("+")) +\(position("-")) @@\n"
    return head + script[hunk].map { "\($0.mark)\($0.text)\n" }.joined()
  }
}
