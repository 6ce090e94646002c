import Control

/// The MUXes as those who must know a lease before its host does, and up to which revision all of them do.
///
/// A MUX counts from the moment its snapshot is sent, since it knows all that is ripe as soon as it does anything, and
/// what ripens later must wait for it; until three seconds after its stream has ended, since it may go on announcing for
/// that long. One that owes an acknowledgement for ten seconds does not count until it has acknowledged something, so
/// that no MUX holds all hosts up. A new primary does not know who runs: it waits for each MUX, as long.
struct MuxPool: Sendable {
  private enum Member: Equatable, Sendable {
    /// Does not count.
    case absent
    /// Counts, and has acknowledged nothing to this primary yet; it may have been sent its snapshot.
    case awaited(since: UInt64?, isAttached: Bool)
    /// Was sent its snapshot, which holds all up to this revision.
    case attached(Revision)
    /// Has a stream and has acknowledged this.
    case present(Revision)
    /// Its stream has ended; the time is that of the next tick.
    case silent(Revision, since: UInt64?)
    /// Owes an acknowledgement for too long; does not count, whatever becomes of its stream.
    case late
  }

  private var members: [String: Member] = [:]
  /// Those that were sent something and have acknowledged nothing since, be it on one stream or on several.
  private var owing: Set<String> = []
  /// The first tick at which they were among them.
  private var owingSince: [String: UInt64] = [:]
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

  /// Whether no MUX runs that leases would reach.
  var isEmpty: Bool { members.values.allSatisfy { $0 == .absent || $0 == .late } }

  /// These are the MUXes from now on; new ones count when they have acknowledged something.
  mutating func follow(_ names: Set<String>) {
    for name in members.keys where !names.contains(name) {
      members[name] = nil
      settleDebt(of: name)
    }
    for name in names where members[name] == nil { members[name] = .absent }
  }

  /// A node is sent an update.
  mutating func sent(_ name: String, isSnapshot: Bool) {
    guard let member = members[name] else { return }
    owing.insert(name)
    guard isSnapshot else { return }
    switch member {
    case .awaited(let since, _): members[name] = .awaited(since: since, isAttached: true)
    case .absent: members[name] = .attached(max(ripe, inherited))
    // What it knew before it may announce until its snapshot has come.
    case .silent(let revision, _): members[name] = .attached(revision)
    case .attached, .present, .late: break
    }
  }

  /// A node has acknowledged a revision on its stream, and owes nothing more if that was the newest it was sent; true
  /// if it was late, and counts again.
  mutating func acknowledged(_ name: String, _ revision: Revision, owesNothing: Bool) -> Bool {
    guard let member = members[name] else { return false }
    switch member {
    case .late where !owesNothing: return false
    case .attached(let least) where revision < least: return false
    case .attached, .awaited, .present, .silent, .late: members[name] = .present(revision)
    case .absent: break
    }
    if owesNothing { settleDebt(of: name) }
    return member == .late
  }

  /// A node's stream has ended; it may have carried out what it has not acknowledged.
  mutating func disconnected(_ name: String) {
    switch members[name] {
    case .present(let revision)?, .attached(let revision)?: members[name] = .silent(revision, since: nil)
    case .awaited(let since, let isAttached)?:
      members[name] = .awaited(since: isAttached ? nil : since, isAttached: false)
    case .absent, .silent, .late, nil: break
    }
  }

  /// Time passes; returns who is late from now on.
  mutating func tick(_ now: UInt64) -> [String] {
    for (name, member) in members {
      switch member {
      case .awaited(nil, let isAttached): members[name] = .awaited(since: now, isAttached: isAttached)
      case .silent(let revision, nil): members[name] = .silent(revision, since: now)
      // One that was sent its snapshot may announce without it yet, and owes an acknowledgement.
      case .awaited(let since?, isAttached: false) where now >= since + Limits.muxSilenceMilliseconds:
        leave(name)
      case .silent(_, let since?) where now >= since + Limits.muxSilenceMilliseconds: leave(name)
      case .awaited, .silent, .absent, .attached, .present, .late: break
      }
    }
    var late: [String] = []
    for name in owing.sorted() where members[name] != .late {
      let since = owingSince[name] ?? now
      owingSince[name] = since
      guard now >= since + Limits.muxPatienceMilliseconds else { continue }
      members[name] = .late
      late.append(name)
    }
    return late
  }

  private mutating func leave(_ name: String) {
    members[name] = .absent
    settleDebt(of: name)
  }

  private mutating func settleDebt(of name: String) {
    owing.remove(name)
    owingSince[name] = nil
  }

  /// Sees what is ripe now; true if more is than before, or if it is known for the first time.
  mutating func update() -> Bool {
    var least: Revision?
    for member in members.values {
      switch member {
      case .awaited: return false
      case .absent, .late: break
      case .present(let revision), .silent(let revision, _), .attached(let revision):
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
