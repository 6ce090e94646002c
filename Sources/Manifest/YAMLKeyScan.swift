/// Finds keys that are, or contain, aliases before the text reaches Yams.
///
/// Yams hashes keys, and to hash an alias to aliases takes time exponential in the length of the text. No manifest
/// has such keys, so a scan may be coarse: what comes before the first alias is not judged at all.
struct YAMLKeyScan {
  private var place = SourcePosition(line: 1, column: 0)
  private var brackets: [Unicode.Scalar] = []
  /// Behind `{`, or behind `,` within braces: what comes is a key.
  private var isKeyNext = false
  /// Behind an alias or a closing bracket: a colon would make it a key.
  private var wouldBeKey = false
  private var isInAlias = false
  private var hasAlias = false
  /// The quote that ends the current text.
  private var quote: Unicode.Scalar?
  private var isInProperty = false

  /// Where the first such key stands.
  mutating func offence(in text: String) -> SourcePosition? {
    guard text.unicodeScalars.contains("*"), text.unicodeScalars.contains("&") else { return nil }
    var previous: Unicode.Scalar = "\n"
    for scalar in text.unicodeScalars {
      place.column += 1
      if let quote {
        // Behind a backslash a double quote does not end the text; in single quotes there is no escape.
        if scalar == quote, quote == "'" || previous != "\\" { self.quote = nil }
      } else if isOffence(scalar, after: previous), hasAlias {
        return place
      }
      if scalar == "\n" { place = SourcePosition(line: place.line + 1, column: 0) }
      previous = quote != nil && scalar == "\\" && previous == "\\" ? " " : scalar
    }
    return nil
  }

  private mutating func isOffence(_ scalar: Unicode.Scalar, after previous: Unicode.Scalar) -> Bool {
    let isSpace = scalar == " " || scalar == "\n" || scalar == "\t" || scalar == "\r"
    let beginsToken = " \n\t[{,:-".unicodeScalars.contains(previous)
    if isSpace {
      if isInAlias { (isInAlias, wouldBeKey) = (false, true) }
      isInProperty = false
      return false
    }
    if isKeyNext, scalar == "&" || scalar == "!" { isInProperty = true }
    if isInProperty, !"[]{},".unicodeScalars.contains(scalar) { return false }
    isInProperty = false
    switch scalar {
    case "?": return beginsToken && previous != ":"
    case ":":
      if wouldBeKey || isInAlias { return true }
      isKeyNext = false
    case "[", "{":
      if isKeyNext { return true }
      brackets.append(scalar)
      isKeyNext = scalar == "{"
    case "]", "}":
      _ = brackets.popLast()
      isKeyNext = false
    case ",": isKeyNext = brackets.last == "{"
    case "*" where beginsToken:
      hasAlias = true
      if isKeyNext { return true }
      isInAlias = true
    case "\"" where beginsToken, "'" where beginsToken:
      quote = scalar
      isKeyNext = false
    default:
      if !isInAlias { isKeyNext = false }
    }
    wouldBeKey = scalar == "]" || scalar == "}"
    if scalar == "," || wouldBeKey { isInAlias = false }
    return false
  }
}
