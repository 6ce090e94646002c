import Control

/// The MUXes as those who must know a lease before its host does, and up to which revision all of them do.
///
/// A MUX counts from its first acknowledgement to a primary until three seconds after its stream has ended, since its
/// BGP session may live that long. A new primary does not know who runs: it waits for each MUX, as long.
struct MuxPool {
  private enum Member: Equatable {
    /// Does not count.
    case absent
    /// Counts, and has acknowledged nothing to this primary yet.
    case awaited(since: UInt64?)
    /// Has a stream and has acknowledged this.
    case present(Revision)
    /// Its stream has ended; the time is that of the next tick.
    case silent(Revision, since: UInt64?)
  }

  private var members: [String: Member] = [:]
  /// All that this primary found.
  private var inherited = Revision(0)
  /// Leases up to this revision are known to all MUXes that count, or were when they ripened.
  private(set) var ripe = Revision(0)
  private(set) var isSettled = false

  /// Nobody is awaited: before this manager is primary.
  init() {}

  /// A primary begins at a revision, with these MUXes.
  init(_ names: some Sequence<String>, at revision: Revision) {
    for name in names { members[name] = .awaited(since: nil) }
    inherited = revision
    _ = update()
  }

  /// Whether any MUX runs, or may.
  var isEmpty: Bool { members.values.allSatisfy { $0 == .absent } }

  /// These are the MUXes from now on; new ones count when they have acknowledged something.
  mutating func follow(_ names: Set<String>) {
    members = members.filter { names.contains($0.key) }
    for name in names where members[name] == nil { members[name] = .absent }
  }

  /// A node has acknowledged a revision on its stream.
  mutating func acknowledged(_ name: String, _ revision: Revision) {
    if members[name] != nil { members[name] = .present(revision) }
  }

  /// A node's stream has ended.
  mutating func disconnected(_ name: String) {
    if case .present(let revision)? = members[name] { members[name] = .silent(revision, since: nil) }
  }

  /// Time passes.
  mutating func tick(_ now: UInt64) {
    for (name, member) in members {
      switch member {
      case .awaited(nil): members[name] = .awaited(since: now)
      case .silent(let revision, nil): members[name] = .silent(revision, since: now)
      case .awaited(let since?), .silent(_, let since?):
        if now >= since + Limits.muxSilenceMilliseconds { members[name] = .absent }
      case .absent, .present: break
      }
    }
  }

  /// Sees what is ripe now; true if more is than before, or if it is known for the first time.
  mutating func update() -> Bool {
    var least: Revision?
    for member in members.values {
      switch member {
      case .awaited: return false
      case .absent: break
      case .present(let revision), .silent(let revision, _): least = min(least ?? revision, revision)
      }
    }
    let before = (ripe, isSettled)
    isSettled = true
    // Without any MUX, hosts keep what they have.
    ripe = max(ripe, least ?? inherited)
    return before != (ripe, true)
  }
}
