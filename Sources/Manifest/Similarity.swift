/// Guesses which word was meant.
enum Similarity {
  /// The candidate most like a word, if one is like it at all.
  static func nearest(to word: String, among candidates: [String]) -> String? {
    guard !word.isEmpty, word.count <= 64 else { return nil }
    let lowered = word.lowercased()
    var best: (distance: Int, shared: Int, candidate: String)?
    for candidate in candidates {
      let other = candidate.lowercased()
      let isStart = lowered.count >= 3 && (other.hasPrefix(lowered) || lowered.hasPrefix(other))
      let distance = isStart ? 1 : distance(Array(lowered.unicodeScalars), Array(other.unicodeScalars))
      // Of several that begin alike, the one that has most of the word: `snatPorts` is not `snat`.
      let shared = zip(lowered, other).prefix { $0 == $1 }.count
      guard distance <= max(1, candidate.count / 3) else { continue }
      if let best, (distance, -shared) >= (best.distance, -best.shared) { continue }
      best = (distance, shared, candidate)
    }
    return best?.candidate
  }

  /// Levenshtein's distance.
  static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let above = row[j + 1]
        row[j + 1] = min(above + 1, row[j] + 1, diagonal + (x == y ? 0 : 1))
        diagonal = above
      }
    }
    return row[b.count]
  }
}
