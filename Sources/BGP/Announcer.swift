import Wire

/// What the peer shall have and what it has; the difference becomes UPDATEs.
struct Announcer {
  /// Sorted and without repetitions, as is `announced`.
  private(set) var desired: [IPv4Prefix] = []
  private(set) var announced: [IPv4Prefix] = []

  /// Replaces the desired set; what exceeds the maximum is left out at its upper end.
  mutating func desire(_ prefixes: [IPv4Prefix]) {
    var sorted: [IPv4Prefix] = []
    for prefix in prefixes.sorted(by: Self.precedes) where sorted.last != prefix { sorted.append(prefix) }
    desired = Array(sorted.prefix(Limits.maximumPrefixes))
  }

  /// A new connection: the peer has nothing.
  mutating func forget() { announced = [] }

  /// The fewest UPDATEs that make the peer's set the desired one; withdrawals go first.
  mutating func updates(attributes: [PathAttribute], fourOctetAS: Bool) -> [UpdateMessage] {
    var gone: [IPv4Prefix] = []
    var new: [IPv4Prefix] = []
    var (old, want) = (announced[...], desired[...])
    while let prefix = old.first ?? want.first {
      let other = want.first ?? prefix
      if old.first == want.first {
        old.removeFirst()
        want.removeFirst()
      } else if old.isEmpty || (!want.isEmpty && Self.precedes(other, prefix)) {
        new.append(other)
        want.removeFirst()
      } else {
        gone.append(prefix)
        old.removeFirst()
      }
    }
    announced = desired
    let attributeLength = attributes.reduce(0) { $0 + $1.octets(fourOctetAS: fourOctetAS).count }
    return Self.packed(gone, overhead: 0).map { UpdateMessage(withdrawn: $0) }
      + Self.packed(new, overhead: attributeLength).map {
        UpdateMessage(attributes: attributes, announced: $0)
      }
  }

  /// Cuts prefixes into runs that fit one message each.
  private static func packed(_ prefixes: [IPv4Prefix], overhead: Int) -> [[IPv4Prefix]] {
    let room = Limits.maximumMessageLength - UpdateMessage.emptyLength - overhead
    var runs: [[IPv4Prefix]] = []
    var run: [IPv4Prefix] = []
    var used = 0
    for prefix in prefixes {
      let size = NLRI.size(of: prefix)
      if used + size > room {
        runs.append(run)
        run = []
        used = 0
      }
      run.append(prefix)
      used += size
    }
    if !run.isEmpty { runs.append(run) }
    return runs
  }

  private static func precedes(_ a: IPv4Prefix, _ b: IPv4Prefix) -> Bool {
    a.address == b.address ? a.length < b.length : a.address < b.address
  }
}
