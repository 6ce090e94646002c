import Paxos

/// A network that loses, delays, reorders and repeats messages, and is cut in one direction or both.
struct SimulatedNetwork {
  private struct Direction: Hashable {
    var from: ReplicaID
    var to: ReplicaID
  }

  var lossPerThousand = 0
  var repeatsPerThousand = 0
  var longestDelay = 5
  private var cuts: Set<Direction> = []

  mutating func cut(from: ReplicaID, to: ReplicaID) {
    cuts.insert(Direction(from: from, to: to))
  }

  mutating func heal() {
    cuts = []
  }

  mutating func calm() {
    heal()
    (lossPerThousand, repeatsPerThousand, longestDelay) = (0, 0, 5)
  }

  /// The delays after which copies of a message arrive.
  func delays(of envelope: Envelope, _ chance: inout Chance) -> [Int] {
    guard !cuts.contains(Direction(from: envelope.from, to: envelope.to)) else { return [] }
    var delays: [Int] = []
    if !chance.happens(perThousand: lossPerThousand) { delays.append(chance.number(1...longestDelay)) }
    if chance.happens(perThousand: repeatsPerThousand) { delays.append(chance.number(1...20 * longestDelay)) }
    return delays
  }
}
