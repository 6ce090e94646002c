/// How much may be under way, and for how long.
enum Limits {
  /// 64 MiB: a whole data centre of 100,000 VMs at some 200 bytes each, three times over.
  ///
  /// gRPC's own 4 MiB would refuse a snapshot of 20,000 VMs.
  static let messageBytes = 64 << 20
  /// 1 MiB of HTTP/2 window: a snapshot flows without a round trip for every 64 KiB.
  static let windowBytes = 1 << 20
  /// Two streams for each of some thousand agents over one connection would already be a mistake.
  static let streamsPerConnection = 128
  /// After this much silence a ping is sent, in both directions.
  static let keepaliveTime = Duration.seconds(2)
  /// A peer that has not answered a ping by then is dead: at most 5 s after its last sign of life.
  static let keepaliveTimeout = Duration.seconds(3)
  /// Pings closer than this count as an attack; half of `keepaliveTime`, since timers are not exact.
  static let shortestPingInterval = Duration.seconds(1)
  /// Health changes in one report; some 50 bytes each.
  static let healthChangesPerReport = 1000
  /// Until an agent tries again for the first time, before jitter.
  static let firstRetry = Duration.milliseconds(100)
  /// The longest time until an agent tries again: a restarted manager has its agents back within seconds.
  static let longestRetry = Duration.seconds(2)
  /// A manager that accepts the connection but sends no first update for so long is left for another one.
  static let firstUpdate = Duration.seconds(5)
  /// How long requests may go on after the server was told to stop; agents' streams are ended then.
  static let grace = Duration.milliseconds(500)
  /// Follows from one replica to the primary it names; two replicas may name one another for a moment.
  static let redirects = 3
}
