/// Numbers that look drawn by lot and are the same for the same seed everywhere.
///
/// The generator is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
public struct SeededNumbers: Sendable {
  private var state: UInt64

  /// Starts a sequence.
  public init(seed: UInt64) {
    state = seed
  }

  /// The next number of 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// The next number within bounds; the bias of the remainder is far below what a simulation shows.
  public mutating func next(in bounds: ClosedRange<UInt64>) -> UInt64 {
    let width = bounds.upperBound - bounds.lowerBound
    return width == .max ? next() : bounds.lowerBound + next() % (width + 1)
  }
}
