/// A place in the replicated log: one instance of the consensus algorithm ("Paxos Made Simple" §3).
///
/// Entries begin at slot 1; slot 0 stands for "none yet".
public struct Slot: Codable, Hashable, Sendable, Strideable {
  /// Its number.
  public var number: UInt64

  /// The place before the first.
  public static let none = Slot(0)

  /// Names a place.
  public init(_ number: UInt64) {
    self.number = number
  }

  /// The place after this one.
  public var next: Slot { Slot(number + 1) }

  /// The place that is `count` further on; never before slot 0.
  public func advanced(by count: Int) -> Slot {
    let distance = UInt64(count.magnitude)
    return count < 0 ? Slot(number - min(number, distance)) : Slot(number + distance)
  }

  /// How many places lie between two; at most `Int.max`, since a message may name any.
  public func distance(to other: Slot) -> Int {
    other.number >= number ? Int(clamping: other.number - number) : -Int(clamping: number - other.number)
  }

  /// Whether the left place is the right one.
  public static func == (left: Slot, right: Slot) -> Bool { left.number == right.number }

  /// Whether the left place comes first.
  public static func < (left: Slot, right: Slot) -> Bool { left.number < right.number }
}
