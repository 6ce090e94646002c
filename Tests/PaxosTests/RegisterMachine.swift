import Paxos

/// The program of the simulation: a register, and a digest of all that was ever written to it.
struct RegisterMachine: Hashable {
  var slot = Slot.none
  var value: UInt64 = 0
  var digest: UInt64 = 0

  mutating func apply(_ entry: Entry, at slot: Slot) {
    self.slot = slot
    guard case .command(let octets) = entry else { return }
    value = Self.number(octets[...])
    digest = (digest ^ value) &* 0x100_0000_01b3 &+ 1
  }

  var octets: [UInt8] { [slot.number, value, digest].flatMap(Self.octets) }

  init() {}

  init?(_ octets: [UInt8]) {
    guard octets.count == 24 else { return nil }
    slot = Slot(Self.number(octets[0..<8]))
    value = Self.number(octets[8..<16])
    digest = Self.number(octets[16..<24])
  }

  static func octets(_ number: UInt64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) }
  }

  static func number(_ octets: ArraySlice<UInt8>) -> UInt64 {
    octets.reduce(0) { $0 << 8 | UInt64($1) }
  }
}
