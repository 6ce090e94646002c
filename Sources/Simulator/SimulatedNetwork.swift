/// A network that loses, delays, reorders and repeats messages, and is cut in one direction or both.
struct SimulatedNetwork: Sendable {
  static let usualDelay: Moment = 1_500

  var lossPerThousand = 0
  var repetitionPerThousand = 0
  var longestDelay = usualDelay
  /// By sender, a bit for each receiver that is not reached.
  private var cuts = [UInt64](repeating: 0, count: 64)

  func isCut(from sender: Place, to receiver: Place) -> Bool {
    cuts[sender.number] & (1 << UInt64(receiver.number)) != 0
  }

  mutating func cut(from sender: Place, to receiver: Place) {
    cuts[sender.number] |= 1 << UInt64(receiver.number)
  }

  mutating func mend(from sender: Place, to receiver: Place) {
    cuts[sender.number] &= ~(1 << UInt64(receiver.number))
  }

  mutating func cutBothWays(_ left: Place, _ right: Place) {
    cut(from: left, to: right)
    cut(from: right, to: left)
  }

  mutating func heal() {
    cuts = [UInt64](repeating: 0, count: 64)
  }

  mutating func calm() {
    (lossPerThousand, repetitionPerThousand, longestDelay) = (0, 0, Self.usualDelay)
  }

  func delay(_ chance: inout Chance) -> Moment {
    chance.number(100...longestDelay)
  }
}
