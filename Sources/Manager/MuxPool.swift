import Control

/// The MUXes as those who must know a lease before its host does, and up to which revision all of them do.
///
/// A MUX counts from the moment its snapshot is sent, since it knows all that is ripe as soon as it does anything, and
/// what ripens later must wait for it; until three seconds after its stream has ended, since its BGP session may live
/// that long. A new primary does not know who runs: it waits for each MUX, as long.
struct MuxPool: Sendable {
  private indirect enum Member: Equatable, Sendable {
    /// Does not count.
    case absent
    /// Counts, and has acknowledged nothing to this primary yet; it may have been sent its snapshot.
    case awaited(since: UInt64?, isAttached: Bool)
    /// Was sent its snapshot, which holds all up to this revision; if its stream ends before it has acknowledged it, it
    /// is again what it was.
    case attached(Revision, was: Member)
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

  /// A primary begins at a revision, with these MUXes; the log says up to which revision leases are ripe.
  init(_ names: some Sequence<String>, at revision: Revision, ripe: Revision) {
    for name in names { members[name] = .awaited(since: nil, isAttached: false) }
    inherited = revision
    self.ripe = ripe
    _ = update()
  }

  /// Whether any MUX runs, or may.
  var isEmpty: Bool { members.values.allSatisfy { $0 == .absent } }

  /// These are the MUXes from now on; new ones count when they have acknowledged something.
  mutating func follow(_ names: Set<String>) {
    members = members.filter { names.contains($0.key) }
    for name in names where members[name] == nil { members[name] = .absent }
  }

  /// A node is sent its snapshot.
  mutating func attached(_ name: String) {
    switch members[name] {
    case .awaited(let since, _)?: members[name] = .awaited(since: since, isAttached: true)
    case .absent?: members[name] = .attached(max(ripe, inherited), was: .absent)
    // What it knew before it may announce until its snapshot has come.
    case .silent(let revision, let since)?:
      members[name] = .attached(revision, was: .silent(revision, since: since))
    case .attached, .present, nil: break
    }
  }

  /// A node has acknowledged a revision on its stream.
  mutating func acknowledged(_ name: String, _ revision: Revision) {
    switch members[name] {
    case .attached(let least, _)? where revision < least: break
    case .attached, .awaited, .present, .silent: members[name] = .present(revision)
    case .absent, nil: break
    }
  }

  /// A node's stream has ended.
  mutating func disconnected(_ name: String) {
    switch members[name] {
    case .present(let revision)?: members[name] = .silent(revision, since: nil)
    case .attached(_, let was)?: members[name] = was
    case .awaited(let since, _)?: members[name] = .awaited(since: since, isAttached: false)
    case .absent, .silent, nil: break
    }
  }

  /// Time passes.
  mutating func tick(_ now: UInt64) {
    for (name, member) in members {
      switch member {
      case .awaited(nil, let isAttached): members[name] = .awaited(since: now, isAttached: isAttached)
      case .silent(let revision, nil): members[name] = .silent(revision, since: now)
      case .awaited(let since?, let isAttached) where now >= since + Limits.muxSilenceMilliseconds:
        // Its snapshot holds all that this primary found.
        members[name] = isAttached ? .attached(inherited, was: .absent) : .absent
      case .silent(_, let since?) where now >= since + Limits.muxSilenceMilliseconds: members[name] = .absent
      case .awaited, .silent, .absent, .attached, .present: break
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
      case .present(let revision), .silent(let revision, _), .attached(let revision, _):
        least = min(least ?? revision, revision)
      }
    }
    let before = (ripe, isSettled)
    isSettled = true
    // Without any MUX, hosts keep what they have.
    ripe = max(ripe, least ?? inherited)
    return before != (ripe, true)
  }
}
