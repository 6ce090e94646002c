/// Microseconds of true time since the beginning of a simulated life.
typealias Moment = Int

extension Moment {
  /// So many milliseconds.
  static func milliseconds(_ count: Int) -> Moment { count * 1000 }
  /// So many seconds.
  static func seconds(_ count: Int) -> Moment { count * 1_000_000 }
}
