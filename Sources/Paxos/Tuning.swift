/// Milliseconds on a replica's own monotonic clock, which shares nothing with other replicas' but its pace.
public typealias Milliseconds = UInt64

/// How fast a replica acts; the same on all replicas of a cluster, except while it is being changed one by
/// one.
public struct Tuning: Codable, Hashable, Sendable {
  /// How long a grant lasts on the clock of the acceptor that gives it.
  ///
  /// With 1 s another replica leads 1.0 to 1.4 s after the leader's last heartbeat.
  public var lease: Milliseconds = 1000
  /// The most by which a clock's pace is off, in parts per thousand.
  ///
  /// Quartz is within 0.1, NTP slews by 0.5; 10 leaves room for a virtual machine's bad day, at the price of
  /// 20 ms.
  public var drift: UInt64 = 10
  /// Between heartbeats; several must be lost in a row before the lease runs out.
  public var heartbeat: Milliseconds = 100
  /// After which an unanswered message is sent again.
  public var retry: Milliseconds = 150
  /// The most by which replicas wait differently before they stand for election, so that seldom two do at
  /// once.
  public var jitter: Milliseconds = 300
  /// Entries after which the program is asked for a snapshot.
  public var snapshotEntries = 4096

  /// The defaults.
  public init() {}

  /// What of a grant a leader may use on its own clock, counted from when it asked.
  ///
  /// A grant of D lasts at least D/(1+ρ) of true time if the acceptor's clock is fast; a slow clock of the
  /// leader shows x after x/(1-ρ). So x = D·(1-ρ)/(1+ρ), less 2 ms since both clocks are read in whole
  /// milliseconds.
  public func usable(ofGrant grant: Milliseconds) -> Milliseconds {
    let share = min(grant, lease) * (1000 - min(drift, 1000)) / (1000 + drift)
    return share > 2 ? share - 2 : 0
  }
}
