/// Measured times in order, of which a report shows a few.
public struct Distribution: Codable, Hashable, Sendable {
  /// In milliseconds, ascending.
  public let milliseconds: [Double]

  /// Sorts the times.
  public init(milliseconds: [Double]) { self.milliseconds = milliseconds.sorted() }

  /// The least time that a share of all do not exceed; nil without times.
  public func quantile(_ share: Double) -> Double? {
    guard !milliseconds.isEmpty else { return nil }
    let rank = Int((share * Double(milliseconds.count)).rounded(.up))
    return milliseconds[min(max(rank, 1), milliseconds.count) - 1]
  }

  /// The middle one.
  public var median: Double? { quantile(0.5) }

  /// `p50 12.3 ms, p99 45.6 ms, max 78.9 ms of 500`.
  public var text: String {
    guard let median, let p99 = quantile(0.99), let most = milliseconds.last else { return "none" }
    return "p50 \(Self.text(median)), p99 \(Self.text(p99)), max \(Self.text(most)) of \(milliseconds.count)"
  }

  static func text(_ value: Double) -> String { "\((value * 10).rounded() / 10) ms" }
}
